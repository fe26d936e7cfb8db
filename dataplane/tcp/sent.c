/* What was sent and not yet acknowledged; see sent.h. */
#include <errno.h>
#include <string.h>

#include "limits.h"
#include "sent.h"

enum { CAP_MIN = 8, CAP_KEPT = 32 };

void sent_init(struct sent_list *list, struct memory *memory)
{
	*list = (struct sent_list){.memory = memory};
}

static void release(struct sent_list *list)
{
	memory_put(list->memory, list->at, list->cap * sizeof(struct sent));
	list->at = NULL;
	list->first = list->cap = 0;
}

void sent_fini(struct sent_list *list)
{
	release(list);
	list->count = 0;
}

static int grow(struct sent_list *list)
{
	uint32_t cap = list->cap ? list->cap * 2 : CAP_MIN;
	struct sent *at = memory_get(list->memory, cap * sizeof(struct sent));
	if (!at)
		return -ENOMEM;
	if (list->count)
		memcpy(at, sent_entry(list, 0), list->count * sizeof(struct sent));
	release(list);
	list->at = at;
	list->cap = cap;
	return 0;
}

int sent_reserve(struct sent_list *list, uint32_t max)
{
	if (list->count >= max)
		return -ENOSPC;
	if (list->first + list->count < list->cap)
		return 0;
	if (!list->cap || list->first < list->cap / 2)
		return grow(list);
	memmove(list->at, sent_entry(list, 0), list->count * sizeof(struct sent));
	list->first = 0;
	return 0;
}

void sent_push(struct sent_list *list, struct seq seq, struct seq end, uint64_t now)
{
	struct sent *sent = sent_entry(list, list->count++);
	*sent = (struct sent){.time = now, .seq = seq, .end = end, .state = SENT_IN_FLIGHT, .transmissions = 1};
	list->bytes[SENT_IN_FLIGHT] += sent_size(sent);
	list->segments[SENT_IN_FLIGHT]++;
}

void sent_take(struct sent_list *list, struct seq until)
{
	struct sent *sent = sent_entry(list, 0);
	struct seq end = seq_min(until, sent->end);
	list->bytes[sent->state] -= seq_diff(end, sent->seq);
	sent->seq = end;
	if (!seq_eq(end, sent->end))
		return;
	list->segments[sent->state]--;
	list->first++;
	if (--list->count)
		return;
	list->first = 0;
	if (list->cap > CAP_KEPT)
		release(list);
}

void sent_set_state(struct sent_list *list, struct sent *sent, enum sent_state state)
{
	list->bytes[sent->state] -= sent_size(sent);
	list->bytes[state] += sent_size(sent);
	list->segments[sent->state]--;
	list->segments[state]++;
	sent->state = (uint8_t)state;
}

void sent_again(struct sent_list *list, struct sent *sent, uint64_t now)
{
	sent_set_state(list, sent, SENT_IN_FLIGHT);
	sent->time = now;
	if (sent->transmissions < UINT8_MAX)
		sent->transmissions++;
}

int sent_split(struct sent_list *list, uint32_t i, uint32_t size)
{
	int rc = sent_reserve(list, 2 * SENT_MAX);
	if (rc)
		return rc;
	struct sent *sent = sent_entry(list, i);
	memmove(sent + 1, sent, (list->count - i) * sizeof(struct sent));
	list->count++;
	list->segments[sent->state]++;
	sent[0].end = sent[1].seq = seq_add(sent->seq, size);
	return 0;
}

uint32_t sent_find(const struct sent_list *list, struct seq seq)
{
	uint32_t low = 0, high = list->count;
	while (low < high) {
		uint32_t middle = (low + high) / 2;
		if (seq_lt(seq, sent_entry(list, middle)->end))
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

uint32_t sent_first_lost(const struct sent_list *list)
{
	if (!list->bytes[SENT_LOST])
		return list->count;
	uint32_t i = 0;
	while (sent_entry(list, i)->state != SENT_LOST)
		i++;
	return i;
}
