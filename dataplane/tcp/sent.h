/*
 * What was sent and not yet acknowledged, segment by segment: the scoreboard from which loss is inferred. Each octet
 * from the oldest unacknowledged to the newest sent is in one entry; FIN counts as an octet.
 */
#ifndef TCP_SENT_H
#define TCP_SENT_H

#include "memory.h"

enum sent_state {
	SENT_IN_FLIGHT,
	SENT_SACKED,                   /* the endpoint has it, out of order */
	SENT_LOST,                     /* to be sent again */
	SENT_STATES,
};

struct sent {
	uint64_t time;                 /* of the latest transmission */
	struct seq seq, end;
	uint8_t state;
	uint8_t transmissions;         /* saturates */
};

struct sent_list {
	struct memory *memory;
	struct sent *at;
	uint32_t first, count, cap;    /* entries at[first .. first + count) */
	uint32_t bytes[SENT_STATES], segments[SENT_STATES];
};

void sent_init(struct sent_list *list, struct memory *memory) __attribute__((nonnull));
void sent_fini(struct sent_list *list) __attribute__((nonnull));

static inline struct sent *sent_entry(const struct sent_list *list, uint32_t i) { return &list->at[list->first + i]; }
static inline uint32_t sent_size(const struct sent *sent) { return seq_diff(sent->end, sent->seq); }

/* Room for one entry more. 0, -ENOSPC (too many segments in flight) or -ENOMEM. */
int sent_reserve(struct sent_list *list, uint32_t max) __attribute__((warn_unused_result, nonnull));
void sent_push(struct sent_list *list, struct seq seq, struct seq end, uint64_t now) __attribute__((nonnull));

/* Takes the first entry away, or its first octets up to `until`. */
void sent_take(struct sent_list *list, struct seq until) __attribute__((nonnull));

void sent_set_state(struct sent_list *list, struct sent *sent, enum sent_state state) __attribute__((nonnull));
void sent_again(struct sent_list *list, struct sent *sent, uint64_t now) __attribute__((nonnull));

/* Entry i becomes two, the first of `size` octets. 0, -ENOSPC or -ENOMEM. */
int sent_split(struct sent_list *list, uint32_t i, uint32_t size) __attribute__((warn_unused_result, nonnull));

/* Index of the first entry that ends after seq; count if there is none. */
uint32_t sent_find(const struct sent_list *list, struct seq seq) __attribute__((nonnull));
uint32_t sent_first_lost(const struct sent_list *list) __attribute__((nonnull));

#endif
