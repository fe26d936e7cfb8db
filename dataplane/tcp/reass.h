/*
 * The receive queue of a connection: bytes in order, and runs of bytes that came before their turn.
 *
 *       read          next        runs[0]        runs[1]
 *     ---|=============|.........[======]......[=========]
 *        readable       missing   held          held
 *
 * Of bytes that come twice the first ones win; that the second ones differed is reported.
 */
#ifndef TCP_REASS_H
#define TCP_REASS_H

#include "ring.h"

struct run {
	struct seq start, end;
	uint32_t touched;              /* the higher, the later something was added */
};

struct reass {
	struct ring ring;              /* byte 0 is that of `read` */
	struct seq read, next;
	struct run *runs;              /* in order, none touching another; allocated when first needed */
	unsigned count;
	uint32_t clock;
};

/* What became of a segment. */
struct reass_outcome {
	uint32_t advanced;             /* bytes by which `next` moved */
	bool held, dropped;            /* some bytes wait beyond a hole; some could not be kept: no memory, too many holes */
	uint32_t differing;            /* 1 if bytes that were held already came with different content */
	struct tcp_sack_block again;   /* the first bytes that had come before; empty if start = end */
};

void reass_init(struct reass *reass, struct memory *memory, struct seq next) __attribute__((nonnull));
void reass_fini(struct reass *reass) __attribute__((nonnull));

/* The bytes may begin anywhere before the end of the window, and must end in it. */
struct reass_outcome reass_add(struct reass *reass, struct seq seq, const uint8_t *bytes, uint32_t n)
	__attribute__((nonnull(1)));

/* Held runs, the most recently touched first: RFC 2018 section 4. Returns how many. */
unsigned reass_sack_blocks(const struct reass *reass, struct tcp_sack_block *blocks, unsigned max)
	__attribute__((nonnull));

uint32_t reass_peek(const struct reass *reass, const uint8_t **bytes) __attribute__((nonnull));
uint8_t reass_last(const struct reass *reass) __attribute__((nonnull)); /* of what can be read, which is not nothing */
void reass_consume(struct reass *reass, uint32_t n) __attribute__((nonnull));

#endif
