/* Starting, dying, restarting; see supervisor.h. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/base/log.h"
#include "supervisor.h"

enum group { GROUP_DATAPLANE, GROUP_THREE, GROUPS };

struct restart {
	bool pending;
	int64_t at_ms;                 /* when to start, if pending */
	int64_t started_ms;
	unsigned delay_ms;             /* before the next one */
};

struct supervisor {
	const struct wiring *wiring;
	const struct child_program *program;
	struct child children[PROC_ROLES];
	struct restart restarts[GROUPS];
	struct links links;            /* of the three, until all of it was handed out */
	bool attached;                 /* the dataplane has the channel to the three */
	bool was_ready;                /* the guard was, once */
	bool stop;
	int exit_code;
	int signals;
	int64_t now_ms;
};

static int64_t read_clock(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static enum group group_of(enum proc_role role)
{
	return role == PROC_DATAPLANE ? GROUP_DATAPLANE : GROUP_THREE;
}

/* --- death --- */

/* At once the first time, later and later when one death follows the other. */
static void plan_restart(struct supervisor *s, enum group group)
{
	struct restart *restart = &s->restarts[group];
	if (restart->pending)
		return;
	if (s->now_ms - restart->started_ms > CALM_MS)
		restart->delay_ms = 0;
	restart->pending = true;
	restart->at_ms = s->now_ms + restart->delay_ms;
	unsigned doubled = restart->delay_ms ? restart->delay_ms * 2 : DELAY_MIN_MS;
	restart->delay_ms = doubled < DELAY_MAX_MS ? doubled : DELAY_MAX_MS;
}

static void end_group(struct supervisor *s, enum group group)
{
	for (unsigned role = 0; role < PROC_ROLES; role++)
		if (group_of(role) == group)
			child_kill(&s->children[role]);
	if (group == GROUP_THREE)
		links_fini(&s->links);
	plan_restart(s, group);
}

static void detach(struct supervisor *s)
{
	const struct child *dataplane = &s->children[PROC_DATAPLANE];
	if (!s->attached)
		return;
	s->attached = false;
	if (dataplane->state == CHILD_READY && child_tell(dataplane, SUPERVISOR_DETACH, NULL)) {
		log_warnx("dataplane does not listen");
		end_group(s, GROUP_DATAPLANE);
	}
}

static void on_death(struct supervisor *s, enum proc_role role)
{
	if (!s->was_ready) {
		log_warnx("%s did not start: giving up", proc_role_name(role));
		s->stop = true;
		s->exit_code = 1;
		return;
	}
	detach(s); /* before the others end: the dataplane resets what is guarded while their channel still lies idle */
	if (role == PROC_DATAPLANE)
		end_group(s, GROUP_DATAPLANE);
	end_group(s, GROUP_THREE);
}

/* --- birth --- */

static void start(struct supervisor *s, enum proc_role role)
{
	int fds[WIRING_FDS_MAX];
	unsigned count = wiring_list(s->wiring, &s->links, role, fds);
	int rc = child_start(&s->children[role], s->program, fds, count, s->now_ms);
	if (rc) {
		errno = -rc;
		log_warn("cannot start %s", proc_role_name(role));
		on_death(s, role);
	}
}

static void start_group(struct supervisor *s, enum group group)
{
	struct restart *restart = &s->restarts[group];
	restart->pending = false;
	restart->started_ms = s->now_ms;
	int rc = group == GROUP_THREE ? links_init(&s->links) : 0;
	if (rc) {
		errno = -rc;
		log_warn("cannot make channels");
		on_death(s, PROC_TLS);
		return;
	}
	for (unsigned role = 0; role < PROC_ROLES && !restart->pending && !s->stop; role++)
		if (group_of(role) == group)
			start(s, role);
}

static void start_what_is_due(struct supervisor *s)
{
	for (unsigned group = 0; group < GROUPS && !s->stop; group++)
		if (s->restarts[group].pending && s->restarts[group].at_ms <= s->now_ms)
			start_group(s, group);
}

/* All four are ready: the dataplane gets its end of the channel, and nobody else keeps one. */
static void attach_when_ready(struct supervisor *s)
{
	if (s->attached)
		return;
	for (unsigned role = 0; role < PROC_ROLES; role++)
		if (s->children[role].state != CHILD_READY)
			return;
	if (child_tell(&s->children[PROC_DATAPLANE], SUPERVISOR_ATTACH, &s->links.wire)) {
		log_warnx("dataplane does not listen");
		on_death(s, PROC_DATAPLANE);
		return;
	}
	s->attached = true;
	links_fini(&s->links);
	log_info("%s", s->was_ready ? "ready again" : "ready");
	s->was_ready = true;
}

/* --- what comes in --- */

static void on_message(struct supervisor *s, struct child *child, int type)
{
	const char *name = proc_role_name(child->role);
	if (type == SUPERVISOR_READY && child->state == CHILD_STARTING) {
		child->state = CHILD_READY;
	} else if (type == SUPERVISOR_PEER_BROKEN) {
		/* Whoever of the three it was: they live and die together, and the channel is theirs. */
		log_warnx("the other end of a channel broke its contract, says %s", name);
		on_death(s, PROC_TLS);
	} else {
		log_warnx("%s said what it may not say type=%d", name, type);
		child_kill(child);
		on_death(s, child->role);
	}
}

static void on_socket(struct supervisor *s, struct child *child)
{
	int type = child_hear(child);
	if (type > 0)
		on_message(s, child, type);
	else if (type < 0)
		child_doom(child); /* it closed its end: it has ended, or nobody can speak with it any more */
}

static void check_deaths(struct supervisor *s)
{
	for (unsigned role = 0; role < PROC_ROLES && !s->stop; role++) {
		struct child *child = &s->children[role];
		bool late = child->state == CHILD_STARTING && s->now_ms - child->started_ms >= READY_MS;
		if (late) {
			log_warnx("%s is not ready after %d ms", proc_role_name(role), READY_MS);
			child_kill(child);
		}
		if (late || child_reap(child, false))
			on_death(s, role);
	}
}

static void on_signal(struct supervisor *s)
{
	struct signalfd_siginfo info;
	if (read(s->signals, &info, sizeof(info)) == sizeof(info)) {
		log_info("stopping signal=%s", sigabbrev_np((int)info.ssi_signo));
		s->stop = true;
	}
}

/* --- the loop --- */

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Milliseconds until something is due; -1: nothing is. */
static int next_timeout(const struct supervisor *s)
{
	int64_t due = INT64_MAX;
	for (unsigned group = 0; group < GROUPS; group++)
		if (s->restarts[group].pending)
			due = earlier(due, s->restarts[group].at_ms);
	for (unsigned role = 0; role < PROC_ROLES; role++)
		if (s->children[role].state == CHILD_STARTING)
			due = earlier(due, s->children[role].started_ms + READY_MS);
	if (due == INT64_MAX)
		return -1;
	return due <= s->now_ms ? 0 : (int)(due - s->now_ms);
}

static void wait_and_handle(struct supervisor *s)
{
	struct pollfd fds[1 + 2 * PROC_ROLES] = {{.fd = s->signals, .events = POLLIN}};
	for (unsigned role = 0; role < PROC_ROLES; role++) {
		fds[1 + role] = (struct pollfd){.fd = s->children[role].socket, .events = POLLIN};
		fds[1 + PROC_ROLES + role] = (struct pollfd){.fd = s->children[role].pidfd, .events = POLLIN};
	}
	if (poll(fds, 1 + 2 * PROC_ROLES, next_timeout(s)) < 0 && errno != EINTR)
		fatal("poll");
	s->now_ms = read_clock();
	if (fds[0].revents)
		on_signal(s);
	for (unsigned role = 0; role < PROC_ROLES && !s->stop; role++)
		/* The child may have ended, or been started anew, by what another one just said. */
		if (fds[1 + role].revents && s->children[role].socket == fds[1 + role].fd)
			on_socket(s, &s->children[role]);
}

static bool all_down(struct supervisor *s)
{
	bool down = true;
	for (unsigned role = 0; role < PROC_ROLES; role++) {
		child_reap(&s->children[role], true);
		down = down && s->children[role].state == CHILD_DOWN;
	}
	return down;
}

/* Asks all to end, and makes them. */
static void end_all(struct supervisor *s)
{
	if (s->attached && child_tell(&s->children[PROC_DATAPLANE], SUPERVISOR_DETACH, NULL))
		log_warnx("dataplane does not listen");
	for (unsigned role = 0; role < PROC_ROLES; role++)
		child_ask_to_end(&s->children[role]);
	int64_t deadline = read_clock() + STOP_MS;
	while (!all_down(s) && read_clock() < deadline)
		poll(NULL, 0, 5);
	for (unsigned role = 0; role < PROC_ROLES; role++) {
		if (s->children[role].state != CHILD_DOWN)
			log_warnx("%s did not end: killed", proc_role_name(role));
		child_kill(&s->children[role]);
	}
	links_fini(&s->links);
}

static int open_signals(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int supervise(const struct wiring *wiring, const struct child_program *program)
{
	struct supervisor s = {.wiring = wiring, .program = program, .signals = open_signals(), .now_ms = read_clock()};
	memset(&s.links, -1, sizeof(s.links));
	if (s.signals < 0)
		fatal("signalfd");
	for (unsigned role = 0; role < PROC_ROLES; role++)
		child_init(&s.children[role], role);
	for (unsigned group = 0; group < GROUPS; group++)
		s.restarts[group] = (struct restart){.pending = true, .at_ms = s.now_ms};
	while (!s.stop) {
		start_what_is_due(&s);
		if (!s.stop)
			wait_and_handle(&s);
		check_deaths(&s);
		if (!s.stop)
			attach_when_ready(&s);
	}
	end_all(&s);
	close(s.signals);
	return s.exit_code;
}
