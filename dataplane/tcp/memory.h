/* The memory of one connection, counted; it may be drawn from a budget that many connections share. */
#ifndef TCP_MEMORY_H
#define TCP_MEMORY_H

#include "tcp.h"

struct memory {
	size_t used;
	struct tcp_budget *budget;     /* NULL: none */
};

/* NULL if the budget or the system has no more. */
void *memory_get(struct memory *memory, size_t bytes) __attribute__((warn_unused_result, nonnull));
void memory_put(struct memory *memory, void *what, size_t bytes) __attribute__((nonnull(1)));

/* A quarter of the budget is taken: time to be modest. */
static inline bool memory_is_short(const struct memory *memory)
{
	return memory->budget && memory->budget->used_bytes > memory->budget->max_bytes / 4;
}

#endif
