/*
 * Link state of the two ports: heard of kernel interfaces from the kernel and of all others from the dataplane, which owns
 * them; passed from one side to the other; told to the dataplane, which sends nothing to a port without a link.
 */
#ifndef DAEMON_LINK_PASS_H
#define DAEMON_LINK_PASS_H

#include "dataplane/base/conf.h"
#include "link_kernel.h"
#include "link_pair.h"

/* Tells every thread of the dataplane. */
typedef void (*link_tell_fn)(void *owner, enum wire wire, enum link_state state);

struct link_pass {
	struct link_pair pair;
	struct link_kernel kernel;
	const char *device[WIRES];
	bool passes;                   /* as configured */
	bool running;                  /* the dataplane has its ports */
	enum link_state told[WIRES];
	link_tell_fn tell;
	void *owner;
	int64_t now_ms;
};

/* 0, or -1 after a line in the log. conf must outlive it. */
int link_pass_init(struct link_pass *pass, const struct conf *conf, link_tell_fn tell, void *owner)
	__attribute__((nonnull, warn_unused_result));
void link_pass_fini(struct link_pass *pass) __attribute__((nonnull));

/* The dataplane has opened its ports; it is about to end, or has: what is held is released, and what it
 * may have left on an interface is taken off. Both may be said twice. */
void link_pass_start(struct link_pass *pass, int64_t now_ms) __attribute__((nonnull));
void link_pass_stop(struct link_pass *pass) __attribute__((nonnull));

/* The dataplane says how a port of its own is. */
void link_pass_hear(struct link_pass *pass, enum wire wire, enum link_state state, int64_t now_ms)
	__attribute__((nonnull));

/* For a poll(): readable, and when something is due. Then link_pass_run(). */
int link_pass_fd(const struct link_pass *pass) __attribute__((nonnull));
int64_t link_pass_due(const struct link_pass *pass) __attribute__((nonnull));
void link_pass_run(struct link_pass *pass, bool readable, int64_t now_ms) __attribute__((nonnull));

#endif
