/*
 * A worker on a bench: frames made by hand go in at two ports that are rings, frames that come out are looked at, and
 * a player has the other end of the channel.
 */
#ifndef TESTS_WORKER_HARNESS_H
#define TESTS_WORKER_HARNESS_H

#include "channel_harness.h"
#include "dataplane/worker.h"
#include "frames.h"

enum { CLIENT = 1, SERVER = 2 };       /* last byte of addresses */
enum { SUPERVISOR = 100 };             /* sallyportd's end of the worker's socket */

enum { ISN_CLIENT = 1000, ISN_SERVER = 0xfffffff0 };

struct bench {
	struct worker *worker;
	struct rte_ring *in[WIRES], *out[WIRES];
	struct player player;
	bool attached;
	uint8_t tags;                  /* VLAN tags on every frame that is made */
	uint8_t family;
};

/* A frame of the guard, read with its sums checked. */
struct seen {
	struct made made;
	struct frame frame;
	struct tcp_seg seg;
};

/* For cmocka: the group, and each test. After a test all buffers are back where they belong. */
int bench_start(void **state);
int bench_stop(void **state);
int bench_before_each(void **state);
int bench_after_each(void **state);

/* A few rounds. */
void bench_run(struct bench *b);

/* The channel, with the player above. */
void bench_attach(struct bench *b);
void bench_detach(struct bench *b);

/* Frees what came out; forgets connections and what was counted. */
void empty(struct bench *b);
void forget_flows(struct bench *b);

uint64_t counted(const struct bench *b, enum dataplane_counter which);

/* One frame in at a wire, and a few rounds. */
void inject(struct bench *b, enum wire wire, const struct made *made);

/* The next frame that came out at a wire. */
bool take(struct bench *b, enum wire wire, struct made *made);
bool comes_out(struct bench *b, enum wire wire, const struct made *expected);
bool nothing_comes_out(struct bench *b);

/* A frame with the tags and of the family of the bench; tcp may be NULL. */
struct made make(const struct bench *b, uint8_t from, uint8_t to, const struct made_tcp *tcp);
void see(struct bench *b, enum wire wire, struct seen *seen);

/* Numbers are counted from the ISN of who sends and who is answered. */
struct made_tcp from_client(uint32_t seq, uint32_t ack, uint8_t flags);
struct made_tcp from_server(uint32_t seq, uint32_t ack, uint8_t flags);
void client_says(struct bench *b, const struct made_tcp *tcp);
void server_says(struct bench *b, const struct made_tcp *tcp);

/* The id of the connection that was announced. */
uint64_t hear_opened(struct bench *b, struct msg_opened *opened);

/* The whole handshake. Leaves nothing on the wires but what was answered. */
uint64_t open_connection(struct bench *b);

#endif
