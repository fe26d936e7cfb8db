/* Starting, dying, restarting; see supervisor.h. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "crl_watch.h"
#include "dataplane/base/log.h"
#include "link_pass.h"
#include "reload.h"
#include "scanner.h"
#include "supervisor.h"
#include "trial.h"

enum { DATAPLANE = 0, THREE = 3, CONTROL = 2, CHILDREN_MAX = 1 + THREE * PROC_LANES_MAX };
enum { FIXED = 3 };                    /* descriptors to wait for besides the children's: signals, links, a trial */

struct restart {
	bool pending;
	int64_t at_ms;                 /* when to start, if pending */
	int64_t started_ms;
	unsigned delay_ms;             /* before the next one */
};

struct lane {
	struct restart restart;        /* of its three */
	struct links links;            /* of its three, until all of it was handed out */
	int socket;                    /* to the dataplane's thread; -1 while that is down */
	bool attached;                 /* the thread has the channel to the three */
};

struct supervisor {
	const struct conf *conf;       /* what the guard was started with */
	struct wiring *wiring;
	const struct child_program *program;
	struct child children[CHILDREN_MAX];   /* the dataplane, then three for each lane */
	unsigned child_count;
	struct restart restart;        /* of the dataplane */
	struct lane lanes[PROC_LANES_MAX];
	unsigned lane_count;
	struct link_pass link_pass;
	struct crl_watch crl_watch;
	struct trial trial;            /* of a policy that is to be taken */
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

static struct child *lane_children(struct supervisor *s, unsigned lane)
{
	return &s->children[1 + THREE * lane];
}

/* --- death --- */

/* At once the first time, later and later when one death follows the other. */
static void plan_restart(struct supervisor *s, struct restart *restart)
{
	if (restart->pending)
		return;
	if (s->now_ms - restart->started_ms > CALM_MS)
		restart->delay_ms = 0;
	restart->pending = true;
	restart->at_ms = s->now_ms + restart->delay_ms;
	unsigned doubled = restart->delay_ms ? restart->delay_ms * 2 : DELAY_MIN_MS;
	restart->delay_ms = doubled < DELAY_MAX_MS ? doubled : DELAY_MAX_MS;
}

static void end_lane(struct supervisor *s, unsigned number)
{
	struct lane *lane = &s->lanes[number];
	for (unsigned i = 0; i < THREE; i++)
		child_kill(&lane_children(s, number)[i]);
	links_fini(&lane->links);
	lane->attached = false;
	plan_restart(s, &lane->restart);
}

static void close_lane_sockets(struct supervisor *s)
{
	for (unsigned i = 1; i < s->lane_count; i++) {
		if (s->lanes[i].socket >= 0)
			close(s->lanes[i].socket);
		s->lanes[i].socket = -1;
	}
}

static void end_dataplane(struct supervisor *s)
{
	link_pass_stop(&s->link_pass);
	child_kill(&s->children[DATAPLANE]);
	close_lane_sockets(s);
	plan_restart(s, &s->restart);
	for (unsigned i = 0; i < s->lane_count; i++)
		end_lane(s, i);
}

/* Our end of the socket to the dataplane's thread for this lane; for the first lane it is that of the process. */
static int lane_socket(const struct supervisor *s, unsigned number)
{
	return number ? s->lanes[number].socket : s->children[DATAPLANE].socket;
}

static void detach(struct supervisor *s, unsigned number)
{
	if (!s->lanes[number].attached)
		return;
	s->lanes[number].attached = false;
	if (s->children[DATAPLANE].state == CHILD_READY && child_tell(lane_socket(s, number), SUPERVISOR_DETACH, NULL)) {
		log_warnx("dataplane does not listen");
		end_dataplane(s);
	}
}

static void on_death(struct supervisor *s, const struct child *child)
{
	if (!s->was_ready) {
		log_warnx("%s did not start: giving up", child->name);
		s->stop = true;
		s->exit_code = 1;
		return;
	}
	if (child->role == PROC_DATAPLANE) {
		end_dataplane(s);
		return;
	}
	/* Before the others end: the dataplane resets what is guarded while their channel still lies idle. */
	detach(s, child->lane.lane);
	end_lane(s, child->lane.lane);
}

/* --- birth --- */

static void start(struct supervisor *s, struct child *child, const int *fds, unsigned count)
{
	int rc = child_start(child, s->program, fds, count, s->now_ms);
	if (!rc && child->role == PROC_TLS)
		rc = crl_watch_greet(&s->crl_watch, child->socket);
	if (rc) {
		errno = -rc;
		log_warn("cannot start %s", child->name);
		on_death(s, child);
	}
}

/* A socket for each lane but the first; far[] are the dataplane's ends. */
static int open_lane_sockets(struct supervisor *s, int far[PROC_LANES_MAX])
{
	for (unsigned i = 1; i < s->lane_count; i++) {
		int pair[2];
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
			return -errno;
		s->lanes[i].socket = pair[0];
		far[i] = pair[1];
	}
	return 0;
}

static void start_dataplane(struct supervisor *s)
{
	int far[PROC_LANES_MAX], fds[WIRING_FDS_MAX];
	memset(far, -1, sizeof(far));
	s->restart.pending = false;
	s->restart.started_ms = s->now_ms;
	int rc = open_lane_sockets(s, far);
	if (rc) {
		errno = -rc;
		log_warn("sockets for lanes");
		on_death(s, &s->children[DATAPLANE]);
	} else {
		start(s, &s->children[DATAPLANE], fds, wiring_list_dataplane(s->wiring, far, fds));
	}
	for (unsigned i = 1; i < s->lane_count; i++)
		if (far[i] >= 0)
			close(far[i]);
}

static void start_lane(struct supervisor *s, unsigned number)
{
	struct lane *lane = &s->lanes[number];
	struct child *three = lane_children(s, number);
	lane->restart.pending = false;
	lane->restart.started_ms = s->now_ms;
	int rc = links_init(&lane->links);
	if (rc) {
		errno = -rc;
		log_warn("cannot make channels");
		on_death(s, three);
		return;
	}
	for (unsigned i = 0; i < THREE && !lane->restart.pending && !s->stop; i++) {
		int fds[WIRING_FDS_MAX];
		start(s, &three[i], fds, wiring_list(s->wiring, &lane->links, three[i].role, number, fds));
	}
}

static bool is_due(const struct supervisor *s, const struct restart *restart)
{
	return !s->stop && restart->pending && restart->at_ms <= s->now_ms;
}

static void start_what_is_due(struct supervisor *s)
{
	if (is_due(s, &s->restart))
		start_dataplane(s);
	for (unsigned i = 0; i < s->lane_count; i++)
		if (is_due(s, &s->lanes[i].restart))
			start_lane(s, i);
}

static bool is_ready(struct supervisor *s, unsigned number)
{
	const struct child *three = lane_children(s, number);
	bool ready = s->children[DATAPLANE].state == CHILD_READY;
	for (unsigned i = 0; i < THREE; i++)
		ready = ready && three[i].state == CHILD_READY;
	return ready;
}

static void tell_ready(struct supervisor *s, unsigned number)
{
	bool all = true;
	for (unsigned i = 0; i < s->lane_count; i++)
		all = all && s->lanes[i].attached;
	if (s->was_ready && s->lane_count > 1)
		log_info("ready again lane=%u", number);
	else if (all)
		log_info("%s", s->was_ready ? "ready again" : "ready");
	s->was_ready = s->was_ready || all;
}

/* All of a lane are ready: the dataplane gets its end of the channel, and nobody else keeps one. */
static void attach_when_ready(struct supervisor *s, unsigned number)
{
	struct lane *lane = &s->lanes[number];
	if (lane->attached || !is_ready(s, number))
		return;
	if (child_tell(lane_socket(s, number), SUPERVISOR_ATTACH, &lane->links.wire)) {
		log_warnx("dataplane does not listen");
		on_death(s, &s->children[DATAPLANE]);
		return;
	}
	lane->attached = true;
	links_fini(&lane->links);
	tell_ready(s, number);
}

/* --- what comes in --- */

/* Whoever of the lane it was that broke it: its three live and die together, and the channel is theirs. */
static void on_broken_channel(struct supervisor *s, const struct child *teller, unsigned lane)
{
	log_warnx("the other end of a channel broke its contract, says %s", teller->name);
	on_death(s, lane_children(s, lane));
}

static void on_nonsense(struct supervisor *s, struct child *child, int type)
{
	log_warnx("%s said what it may not say type=%d", child->name, type);
	child_kill(child);
	on_death(s, child);
}

/* To each thread of the dataplane. What cannot be told ends it: a port would stay shut for ever. */
static void tell_link(void *owner, enum wire wire, enum link_state state)
{
	struct supervisor *s = owner;
	for (unsigned i = 0; i < s->lane_count; i++)
		if (child_tell(lane_socket(s, i), supervisor_link(wire, state), NULL)) {
			log_warnx("dataplane does not listen");
			child_doom(&s->children[DATAPLANE]);
			return;
		}
}

/* To each tls. One that is not up gets them when it starts. */
static void tell_crls(void *owner, enum supervisor_msg type, int bundle)
{
	struct supervisor *s = owner;
	for (unsigned i = 0; i < s->child_count; i++) {
		struct child *child = &s->children[i];
		if (child->role == PROC_TLS && child->socket >= 0 && child_tell_files(child->socket, type, &bundle, 1)) {
			log_warnx("%s does not listen", child->name);
			child_doom(child);
		}
	}
}

/* A control that does not take the answer is late with its verdict, and refuses. */
static void on_scanner_wanted(struct supervisor *s, struct child *control)
{
	static struct log_limit limit = {.burst = 5};
	int fd = scanner_dial(&s->conf->scanner);
	int rc = fd < 0 ? child_tell(control->socket, SUPERVISOR_SCANNER_DEAD, NULL)
			: child_tell_files(control->socket, SUPERVISOR_SCANNER, &fd, 1);
	if (fd >= 0)
		close(fd);
	errno = fd < 0 ? -fd : -rc;
	if ((fd < 0 || rc) && log_allowed(&limit))
		log_warn("scanner cannot be reached by %s", control->name);
}

static void on_ready(struct supervisor *s, struct child *child)
{
	child->state = CHILD_READY;
	if (child->role == PROC_DATAPLANE)
		link_pass_start(&s->link_pass, s->now_ms);
}

static void on_socket(struct supervisor *s, struct child *child)
{
	int type = child_hear(child->socket);
	enum wire wire;
	enum link_state state;
	if (type < 0)
		child_doom(child); /* it closed its end: it has ended, or nobody can speak with it any more */
	else if (type == SUPERVISOR_READY && child->state == CHILD_STARTING)
		on_ready(s, child);
	else if (child->role == PROC_DATAPLANE && supervisor_told_link(type, &wire, &state))
		link_pass_hear(&s->link_pass, wire, state, s->now_ms);
	else if (child->role == PROC_TLS && crl_watch_hear(&s->crl_watch, type))
		return;
	else if (child->role == PROC_CONTROL && type == SUPERVISOR_SCANNER)
		on_scanner_wanted(s, child);
	else if (type == SUPERVISOR_PEER_BROKEN)
		on_broken_channel(s, child, child->lane.lane);
	else if (type)
		on_nonsense(s, child, type);
}

static void on_lane_socket(struct supervisor *s, unsigned number)
{
	struct child *dataplane = &s->children[DATAPLANE];
	int type = child_hear(s->lanes[number].socket);
	if (type < 0) {
		close(s->lanes[number].socket);
		s->lanes[number].socket = -1;
		child_doom(dataplane);
	} else if (type == SUPERVISOR_PEER_BROKEN) {
		on_broken_channel(s, dataplane, number);
	} else if (type) {
		on_nonsense(s, dataplane, type);
	}
}

static void check_deaths(struct supervisor *s)
{
	for (unsigned i = 0; i < s->child_count && !s->stop; i++) {
		struct child *child = &s->children[i];
		bool late = child->state == CHILD_STARTING && s->now_ms - child->started_ms >= READY_MS;
		if (late) {
			log_warnx("%s is not ready after %d ms", child->name, READY_MS);
			child_kill(child);
		}
		if (late || child_reap(child, false))
			on_death(s, child);
	}
}

/* To all who judge by it. Whoever cannot take it is started anew, and then has it. */
static void change_policy(struct supervisor *s, int image)
{
	wiring_set_conf(s->wiring, image);
	for (unsigned i = 1; i < s->child_count; i++) {
		struct child *child = &s->children[i];
		if (child->socket >= 0 && child_tell_files(child->socket, SUPERVISOR_POLICY, &image, 1)) {
			log_warnx("%s does not listen", child->name);
			child_doom(child);
		}
	}
	log_info("policy changed file=%s", s->program->conf_name);
}

/* The first lane's control writes it down: there is one audit. */
static void refuse_policy(struct supervisor *s, const char *why)
{
	log_warnx("the policy stays as it was: it fails its tests: %s", why);
	const struct child *control = &lane_children(s, 0)[CONTROL];
	int text = memfd_create("sallyport-refusal", MFD_CLOEXEC);
	if (text < 0 || write(text, why, strlen(why)) < 0 ||
		(control->socket >= 0 && child_tell_files(control->socket, SUPERVISOR_POLICY_REFUSED, &text, 1)))
		log_warnx("%s is not told", control->name);
	if (text >= 0)
		close(text);
}

static void on_trial(struct supervisor *s)
{
	trial_run(&s->trial, s->now_ms);
	if (s->trial.state == TRIAL_FAILED) {
		refuse_policy(s, s->trial.why);
		trial_fini(&s->trial);
	}
	if (s->trial.state == TRIAL_PASSED)
		change_policy(s, trial_take(&s->trial));
}

/* One that is still being tried gives way to what the file says now. */
static void try_policy(struct supervisor *s)
{
	trial_fini(&s->trial);
	int image = reload_policy(s->program->conf_name, s->conf);
	if (image >= 0)
		trial_start(&s->trial, image, s->program->folder, s->now_ms);
}

static void on_signal(struct supervisor *s)
{
	struct signalfd_siginfo info;
	if (read(s->signals, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGHUP) {
		try_policy(s);
	} else {
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
	int64_t due = s->restart.pending ? s->restart.at_ms : INT64_MAX;
	for (unsigned i = 0; i < s->lane_count; i++)
		if (s->lanes[i].restart.pending)
			due = earlier(due, s->lanes[i].restart.at_ms);
	for (unsigned i = 0; i < s->child_count; i++)
		if (s->children[i].state == CHILD_STARTING)
			due = earlier(due, s->children[i].started_ms + READY_MS);
	due = earlier(due, link_pass_due(&s->link_pass));
	due = earlier(due, crl_watch_due(&s->crl_watch));
	due = earlier(due, trial_due(&s->trial));
	if (due == INT64_MAX)
		return -1;
	return due <= s->now_ms ? 0 : (int)(due - s->now_ms);
}

static struct pollfd readable(int fd)
{
	return (struct pollfd){.fd = fd, .events = POLLIN};
}

static void wait_and_handle(struct supervisor *s)
{
	struct pollfd fds[FIXED + 2 * CHILDREN_MAX + PROC_LANES_MAX] = {readable(s->signals),
		readable(link_pass_fd(&s->link_pass)), readable(trial_fd(&s->trial))};
	struct pollfd *sockets = fds + FIXED, *ends = sockets + s->child_count, *lanes = ends + s->child_count;
	for (unsigned i = 0; i < s->child_count; i++) {
		sockets[i] = readable(s->children[i].socket);
		ends[i] = readable(s->children[i].pidfd);
	}
	for (unsigned i = 0; i < s->lane_count; i++)
		lanes[i] = readable(s->lanes[i].socket);
	if (poll(fds, FIXED + 2 * s->child_count + s->lane_count, next_timeout(s)) < 0 && errno != EINTR)
		fatal("poll");
	s->now_ms = read_clock();
	if (fds[0].revents)
		on_signal(s);
	link_pass_run(&s->link_pass, fds[1].revents, s->now_ms);
	crl_watch_run(&s->crl_watch, s->now_ms);
	on_trial(s);
	/* A child may have ended, or been started anew, by what another one just said. */
	for (unsigned i = 0; i < s->child_count && !s->stop; i++)
		if (sockets[i].revents && s->children[i].socket == sockets[i].fd)
			on_socket(s, &s->children[i]);
	for (unsigned i = 0; i < s->lane_count && !s->stop; i++)
		if (lanes[i].revents && s->lanes[i].socket == lanes[i].fd)
			on_lane_socket(s, i);
}

static bool all_down(struct supervisor *s)
{
	bool down = true;
	for (unsigned i = 0; i < s->child_count; i++) {
		child_reap(&s->children[i], true);
		down = down && s->children[i].state == CHILD_DOWN;
	}
	return down;
}

static void ask_all_to_end(struct supervisor *s)
{
	link_pass_stop(&s->link_pass);
	for (unsigned i = 0; i < s->lane_count; i++)
		if (s->lanes[i].attached && child_tell(lane_socket(s, i), SUPERVISOR_DETACH, NULL))
			log_warnx("dataplane does not listen");
	for (unsigned i = 0; i < s->child_count; i++)
		child_ask_to_end(&s->children[i]);
	close_lane_sockets(s);
}

/* Asks all to end, and makes them. */
static void end_all(struct supervisor *s)
{
	ask_all_to_end(s);
	int64_t deadline = read_clock() + STOP_MS;
	while (!all_down(s) && read_clock() < deadline)
		poll(NULL, 0, 5);
	for (unsigned i = 0; i < s->child_count; i++) {
		if (s->children[i].state != CHILD_DOWN)
			log_warnx("%s did not end: killed", s->children[i].name);
		child_kill(&s->children[i]);
	}
	for (unsigned i = 0; i < s->lane_count; i++)
		links_fini(&s->lanes[i].links);
}

static int open_signals(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void init_lane(struct supervisor *s, unsigned number)
{
	static const enum proc_role roles[THREE] = {PROC_TLS, PROC_KEYD, PROC_CONTROL};
	struct lane *lane = &s->lanes[number];
	lane->socket = -1;
	lane->restart = s->restart;
	memset(&lane->links, -1, sizeof(lane->links));
	for (unsigned i = 0; i < THREE; i++)
		child_init(&lane_children(s, number)[i], roles[i], (struct proc_lane){number, s->lane_count});
}

static void init(struct supervisor *s)
{
	s->now_ms = read_clock();
	s->signals = open_signals();
	if (s->signals < 0)
		fatal("signalfd");
	s->lane_count = s->wiring->lanes;
	s->child_count = 1 + THREE * s->lane_count;
	s->restart = (struct restart){.pending = true, .at_ms = s->now_ms};
	child_init(&s->children[DATAPLANE], PROC_DATAPLANE, (struct proc_lane){0, s->lane_count});
	for (unsigned i = 0; i < s->lane_count; i++)
		init_lane(s, i);
}

int supervise(const struct conf *conf, struct wiring *wiring, const struct child_program *program)
{
	struct supervisor s = {.conf = conf, .wiring = wiring, .program = program};
	if (link_pass_init(&s.link_pass, conf, tell_link, &s))
		return 1;
	if (crl_watch_init(&s.crl_watch, conf, tell_crls, &s)) {
		link_pass_fini(&s.link_pass);
		return 1;
	}
	trial_init(&s.trial);
	init(&s);
	while (!s.stop) {
		start_what_is_due(&s);
		if (!s.stop)
			wait_and_handle(&s);
		check_deaths(&s);
		for (unsigned i = 0; i < s.lane_count && !s.stop; i++)
			attach_when_ready(&s, i);
	}
	end_all(&s);
	link_pass_fini(&s.link_pass);
	crl_watch_fini(&s.crl_watch);
	trial_fini(&s.trial);
	close(s.signals);
	return s.exit_code;
}
