/*
 * sallyport-control: XMPP sessions, verdicts and the audit. It sees plaintext and parses what strangers wrote, so it has no
 * network, no files but the audit that is already open, and no key.
 *
 *      tls ==channel==> sessions -> stanzas -> policy -> audit      admin socket <- sallyport
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "control/admin.h"
#include "control/control.h"
#include "control/pace.h"
#include "control/policy_change.h"
#include "control/policy_load.h"
#include "dataplane/base/log.h"
#include "dataplane/base/proc.h"
#include "dataplane/base/sandbox.h"

enum {
	FILES_MAX = 64 + CONF_SCANS_MAX + PROC_LANES_MAX * PROC_ROLES,
	SPIN_TURNS = 8,                /* turns without work before going to sleep */
	LOOK_AROUND_TURNS = 64,        /* turns with work between two looks at the admin socket and sallyportd */
	TICK_MS = 1000,
	POLL_FIXED = 2,                /* channel, sallyportd */
};

static const int syscalls[] = {
	SCMP_SYS(accept4),             /* clients of the admin socket */
	SCMP_SYS(getsockopt),          /* and who they are */
	-1};

static volatile sig_atomic_t stop_asked;

static void on_stop(int signal_number)
{
	(void)signal_number;
	stop_asked = 1;
}

/* --- start --- */

static uid_t supervisor_uid(void)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);
	if (getsockopt(PROC_FD_SUPERVISOR, SOL_SOCKET, SO_PEERCRED, &peer, &size))
		fatal("SO_PEERCRED");
	return peer.uid;
}

static void open_counters(struct control *control, struct admin *admin)
{
	control->counters = counters_open(PROC_FD_COUNTERS, control_counter_names, COUNTS);
	if (!control->counters)
		fatal("counters");
	for (unsigned lane = 0; lane < admin->lane.lanes; lane++)
		for (unsigned role = 0; role < PROC_ROLES; role++) {
			int fd = CONTROL_FD_COUNTERS + (int)(lane * PROC_ROLES + role);
			admin->counters[lane][role] = counters_read(fd);
			if (!admin->counters[lane][role])
				fatal("counters of %s", proc_role_name((enum proc_role)role));
		}
}

static int ask_for_scanner(void *owner)
{
	(void)owner;
	return proc_tell(SUPERVISOR_SCANNER);
}

static void open_all(struct control *control, struct admin *admin, struct proc_lane lane)
{
	struct conf *conf = conf_load_inherited();
	control->conf = conf;
	control->policy = policy_load(conf, NULL);
	if (!control->policy)
		fatalx("policy could not be made from the configuration");
	int rc = audit_open(&control->audit, conf->audit, lane);
	if (rc) {
		errno = -rc;
		fatal("audit file=%s", conf->audit);
	}
	rc = record_open(&control->record, conf->record, ((uint64_t)conf->record_mib << 20) / lane.lanes);
	if (rc) {
		errno = -rc;
		fatal("record file=%s", conf->record);
	}
	control->channel = channel_attach(
		(struct channel_fds){CONTROL_FD_LOWER, CONTROL_FD_LOWER + 1, CONTROL_FD_LOWER + 2}, CHANNEL_UPPER);
	if (!control->channel)
		fatal("channel to tls");
	if (fcntl(CONTROL_FD_ADMIN, F_SETFL, O_NONBLOCK))
		fatal("admin socket");
	control->scans.connect = ask_for_scanner;
	admin_init(admin, CONTROL_FD_ADMIN, supervisor_uid());
	admin->lane = lane;
	open_counters(control, admin);
}

static void enter_sandbox(const struct conf *conf)
{
	struct sandbox sandbox = {.uid = conf->uid[PROC_CONTROL], .gid = conf->gid[PROC_CONTROL],
		.memory_max_bytes = (uint64_t)MEMORY_MIB_MAX << 20, .files_max = FILES_MAX, .syscalls = syscalls};
	sigset_t stop;
	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigprocmask(SIG_BLOCK, &stop, NULL); /* but in ppoll(): or one that comes just before it would be slept over */
	tzset(); /* the file of the zone is not there afterwards */
	signal(SIGTERM, on_stop);
	signal(SIGINT, SIG_IGN); /* of a terminal: sallyportd decides */
	if (sandbox_enter(&sandbox))
		fatalx("sandbox");
	if (proc_tell(SUPERVISOR_READY))
		fatal("sallyportd does not listen");
}

/* --- the loop --- */

static uint64_t clock_ms(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void read_clock(struct control *control)
{
	control->now_ms = clock_ms(CLOCK_MONOTONIC);
	control->wall_ms = clock_ms(CLOCK_REALTIME);
}

static void change_policy(struct control *control, int fd)
{
	int rc = policy_change(control, fd);
	close(fd);
	if (rc) {
		errno = -rc;
		fatal("policy");
	}
}

/* False: it is gone. A policy that cannot be taken is there when this process is started anew. */
static bool hear_supervisor(struct control *control)
{
	struct channel_fds fds;
	int heard;
	while ((heard = proc_hear(&fds)) > 0) {
		if (heard == SUPERVISOR_ATTACH)
			channel_fds_close(&fds);
		else if (heard == SUPERVISOR_SCANNER)
			scans_connected(control, fds.memory);
		else if (heard == SUPERVISOR_SCANNER_DEAD)
			scans_unconnected(control);
		else if (heard == SUPERVISOR_POLICY)
			change_policy(control, fds.memory);
		else if (heard == SUPERVISOR_POLICY_REFUSED)
			policy_refused(control, fds.memory);
	}
	return heard == 0;
}

static void tick(struct control *control, uint64_t *last_ms)
{
	if (control->now_ms - *last_ms < TICK_MS)
		return;
	*last_ms = control->now_ms;
	audit_tick(control);
	sessions_tick(control);
	refusals_tick(control);
	own_streams_tick(control);
	scans_tick(control);
}

static bool has_deadlines(const struct control *control)
{
	return control->sessions.count || control->scans.transfers.count || control->refusals.count ||
	       audit_is_failing(&control->audit);
}

/* Until something happens or is due. True: others than the channel may want something. */
static bool wait(struct control *control, const struct admin *admin, bool may_sleep)
{
	struct pollfd fds[POLL_FIXED + ADMIN_CLIENTS_MAX + 1 + CONF_SCANS_MAX];
	bool asleep = may_sleep && channel_sleep(control->channel);
	bool others = false;
	fds[0] = (struct pollfd){.fd = channel_wake_fd(control->channel), .events = POLLIN};
	fds[1] = (struct pollfd){.fd = PROC_FD_SUPERVISOR, .events = POLLIN};
	unsigned count = admin_poll(admin, fds + POLL_FIXED);
	count += scans_poll(&control->scans, fds + POLL_FIXED + count);
	for (unsigned i = 0; i < ADMIN_CLIENTS_MAX; i++)
		others |= admin->client[i].fd >= 0;
	bool for_ever = asleep && !has_deadlines(control) && !others;
	uint64_t ms = asleep ? pace_rest_ms(control, TICK_MS) : 0;
	const struct timespec timeout = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000 * 1000000)};
	sigset_t none;
	sigemptyset(&none);
	if (ppoll(fds, POLL_FIXED + count, for_ever ? NULL : &timeout, &none) < 0 && errno != EINTR)
		fatal("ppoll");
	if (asleep)
		channel_awake(control->channel);
	for (unsigned i = 1; i < POLL_FIXED + count; i++)
		others |= fds[i].revents != 0;
	return others;
}

static int run(struct control *control, struct admin *admin)
{
	struct channel_receiver receiver = sessions_receiver(control);
	uint64_t last_tick_ms = 0;
	unsigned idle_turns = 0, turns = 0;
	while (!stop_asked) {
		read_clock(control);
		int handled = channel_dispatch(control->channel, &receiver, DISPATCH_BUDGET);
		tick(control, &last_tick_ms);
		pace_run(control);
		channel_flush(control->channel);
		if (handled < 0 || channel_broken(control->channel))
			return -EPROTO;
		idle_turns = handled ? 0 : idle_turns + 1;
		bool may_sleep = idle_turns > SPIN_TURNS;
		if (!may_sleep && ++turns % LOOK_AROUND_TURNS)
			continue;
		if (!wait(control, admin, may_sleep))
			continue;
		read_clock(control);
		admin_run(admin, control);
		if (!hear_supervisor(control))
			return 0;
		scans_run(control);
	}
	return 0;
}

int main(void)
{
	static struct control control;
	static struct admin admin;
	open_all(&control, &admin, proc_init(PROC_CONTROL));
	enter_sandbox(control.conf);
	read_clock(&control);
	audit_guard(&control, "started");
	int rc = run(&control, &admin);
	sessions_fini(&control);
	scans_fini(&control.scans);
	rates_fini(&control.rates);
	presences_fini(&control.presences);
	refusals_fini(&control.refusals);
	audit_guard(&control, "stopped");
	record_close(&control.record);
	admin_fini(&admin);
	if (rc && proc_tell(SUPERVISOR_PEER_BROKEN))
		log_warn("sallyportd does not listen");
	return rc ? 1 : 0;
}
