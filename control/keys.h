/*
 * Dialback keys that were shown on some connection and wait there for an answer, of all connections. The question
 * whether a key is good travels on another connection than the key itself (XEP-0220 1.4); the guard sees both, and so
 * knows what the asked server cannot: whether this key was shown at all on the stream that the question names.
 */
#ifndef CONTROL_KEYS_H
#define CONTROL_KEYS_H

struct pair;

enum { KEY_BUCKETS = 4096 };

struct keys {
	struct pair *bucket[KEY_BUCKETS]; /* by the pair of domains */
};

enum key_match {
	KEY_UNSEEN, /* this pair shows neither the key nor the stream id anywhere now */
	KEY_SEEN,   /* just this key, just there */
	KEY_FORGED, /* that stream showed another key, or the key was made for another stream */
};

/* The pair stays where it is, with its domains and its key unchanged, until keys_del(). */
void keys_add(struct keys *keys, struct pair *pair) __attribute__((nonnull));
void keys_del(struct keys *keys, struct pair *pair) __attribute__((nonnull));

/* The pair that shows this key on a stream of this id; NULL: none. */
struct pair *keys_find(const struct keys *keys, const char *from, const char *to, const char *id, const char *key)
	__attribute__((nonnull));
enum key_match keys_match(const struct keys *keys, const char *from, const char *to, const char *id, const char *key)
	__attribute__((nonnull));

#endif
