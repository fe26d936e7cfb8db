/*
 * What sallyportd makes for its children and hands to them: configuration, counters, channels, the socket to keyd, the
 * admin socket. Nothing of it has a name in a file system, so that nothing is left behind.
 */
#ifndef DAEMON_WIRING_H
#define DAEMON_WIRING_H

#include "dataplane/base/proc.h"

/* Made once, kept over restarts. */
struct wiring {
	unsigned lanes;
	int conf;                      /* sealed memfd */
	int counters[PROC_LANES_MAX][PROC_ROLES];      /* memfds; of the dataplane those of the lane's thread */
	int counters_read[PROC_LANES_MAX][PROC_ROLES]; /* the same, opened for reading only */
	int admin[PROC_LANES_MAX];     /* listening: @NAME, @NAME/1, @NAME/2 and so on */
};

/* Made afresh for each incarnation of a lane's tls, keyd and control. */
struct links {
	struct channel_fds wire;       /* dataplane - tls */
	struct channel_fds plain;      /* tls - control */
	int keyd[2];                   /* tls, keyd */
};

enum { WIRING_FDS_MAX = PROC_FD_END };

/* Takes conf over. 0, or -errno after a line in the log. `name` is the guard's. */
int wiring_init(struct wiring *wiring, int conf, const char *name, unsigned lanes)
	__attribute__((warn_unused_result, nonnull));
void wiring_fini(struct wiring *wiring) __attribute__((nonnull));
void wiring_set_conf(struct wiring *wiring, int conf) __attribute__((nonnull)); /* takes it over, for those who start */

int links_init(struct links *links) __attribute__((warn_unused_result, nonnull));
void links_fini(struct links *links) __attribute__((nonnull));

/* The descriptors of tls, keyd or control of a lane from PROC_FD_CONF on, in the order of proc.h. How many. */
unsigned wiring_list(const struct wiring *wiring, const struct links *links, enum proc_role role, unsigned lane,
	int fds[WIRING_FDS_MAX]) __attribute__((nonnull));

/* Those of the dataplane; sockets[lane] is its end of the socket for that lane, from the second on. */
unsigned wiring_list_dataplane(const struct wiring *wiring, const int sockets[PROC_LANES_MAX], int fds[WIRING_FDS_MAX])
	__attribute__((nonnull));

#endif
