/*
 * Watches the files with lists of revoked certificates (CRLs), one place for each wire, and hands them to every tls: at
 * its start, and when they have changed. What a tls refused is never given to a fresh one: that gets the last good ones.
 */
#ifndef DAEMON_CRL_WATCH_H
#define DAEMON_CRL_WATCH_H

#include "dataplane/base/conf.h"

enum crl_watch_limits { CRL_LOOK_MS = 1000 };

/* Sends a bundle to every tls that runs. The descriptor stays the watch's. */
typedef void (*crl_tell_fn)(void *owner, enum supervisor_msg type, int bundle);

struct crl_watch {
	const struct conf *conf;
	struct {
		int current, good;     /* bundles; -1: none */
		unsigned version, good_version;
		uint64_t stamp, seen;  /* of the files in it, and as they were last seen */
	} wire[WIRES];
	int64_t due_ms;
	crl_tell_fn tell;
	void *owner;
};

/* 0, or -errno after a line in the log. `conf` must outlive it. */
int crl_watch_init(struct crl_watch *watch, const struct conf *conf, crl_tell_fn tell, void *owner)
	__attribute__((nonnull, warn_unused_result));
void crl_watch_fini(struct crl_watch *watch) __attribute__((nonnull));

/* To a tls that was just started: the last good ones, and what came since. 0 or -errno. */
int crl_watch_greet(const struct crl_watch *watch, int socket) __attribute__((nonnull, warn_unused_result));

/* What a tls says of them. False: that is not about them. */
bool crl_watch_hear(struct crl_watch *watch, int type) __attribute__((nonnull));

int64_t crl_watch_due(const struct crl_watch *watch) __attribute__((nonnull)); /* INT64_MAX: there is nothing to watch */
void crl_watch_run(struct crl_watch *watch, int64_t now_ms) __attribute__((nonnull));

#endif
