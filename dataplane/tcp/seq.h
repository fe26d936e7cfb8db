/* Sequence numbers: a type of their own, so that a plain `<` on them does not compile (RFC 9293 3.4). */
#ifndef TCP_SEQ_H
#define TCP_SEQ_H

#include <stdbool.h>
#include <stdint.h>

struct seq {
	uint32_t v;
};

static inline struct seq seq_of(uint32_t v) { return (struct seq){v}; }
static inline struct seq seq_add(struct seq a, uint32_t n) { return (struct seq){a.v + n}; }
static inline uint32_t seq_diff(struct seq a, struct seq b) { return a.v - b.v; }      /* a - b, a not before b */
static inline bool seq_eq(struct seq a, struct seq b) { return a.v == b.v; }
static inline bool seq_lt(struct seq a, struct seq b) { return (int32_t)(a.v - b.v) < 0; }
static inline bool seq_le(struct seq a, struct seq b) { return (int32_t)(a.v - b.v) <= 0; }
static inline bool seq_in(struct seq a, struct seq start, uint32_t size) { return a.v - start.v < size; }
static inline struct seq seq_max(struct seq a, struct seq b) { return seq_lt(a, b) ? b : a; }
static inline struct seq seq_min(struct seq a, struct seq b) { return seq_lt(a, b) ? a : b; }

#endif
