/*
 * Counters of a process, in a memfd page that control maps read-only: no message, no lock, and they outlive a crash of
 * the process that counts. sallyportd makes one set per process and gives it to each incarnation.
 */
#ifndef BASE_COUNTERS_H
#define BASE_COUNTERS_H

#include <assert.h>
#include <stdatomic.h>
#include <stdint.h>

enum counters_limits { COUNTERS_MAX = 128, COUNTER_NAME_MAX = 56 };

struct counter {
	_Atomic uint64_t value;
	char name[COUNTER_NAME_MAX];   /* lower case, words joined by '-'; "" ends the table */
};

struct counters {
	struct counter table[COUNTERS_MAX];
};
static_assert(sizeof(struct counters) == 8192, "counters");

int counters_create(void) __attribute__((warn_unused_result)); /* memfd or -errno */

/* Maps for writing and enters the names (an array indexed by the process's own enum). NULL with errno set. */
struct counters *counters_open(int fd, const char *const *names, unsigned count)
	__attribute__((warn_unused_result, nonnull));

/* Maps for reading. A reader does not trust the names: it copies and bounds them. */
const struct counters *counters_read(int fd) __attribute__((warn_unused_result));

static inline void counter_add(struct counters *c, unsigned id, uint64_t n)
{
	atomic_fetch_add_explicit(&c->table[id].value, n, memory_order_relaxed);
}

static inline void counter_set(struct counters *c, unsigned id, uint64_t value)
{
	atomic_store_explicit(&c->table[id].value, value, memory_order_relaxed);
}

#endif
