/* The memory of one connection; see memory.h. */
#include <stdlib.h>

#include "memory.h"

void *memory_get(struct memory *memory, size_t bytes)
{
	struct tcp_budget *budget = memory->budget;
	if (budget && bytes > budget->max_bytes - budget->used_bytes)
		return NULL;
	void *what = malloc(bytes);
	if (!what)
		return NULL;
	memory->used += bytes;
	if (budget)
		budget->used_bytes += bytes;
	return what;
}

void memory_put(struct memory *memory, void *what, size_t bytes)
{
	if (!what)
		return;
	free(what);
	memory->used -= bytes;
	if (memory->budget)
		memory->budget->used_bytes -= bytes;
}
