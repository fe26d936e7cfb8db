/*
 * The real sallyportd with processes that only play their part: they are this same program, started by another name.
 * What they do is told by a file ROLE.mode that the test writes; what they did is in the log. The dataplane plays all of
 * its lanes in one loop.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "dataplane/base/conf.h"
#include "dataplane/base/counters.h"
#include "dataplane/base/log.h"
#include "dataplane/base/proc.h"

/* --- the players --- */

/* The word in ROLE.mode beside the configuration; "" if there is no such file. */
static void read_mode(enum proc_role role, char mode[32])
{
	char path[PATH_MAX], name[PATH_MAX];
	snprintf(name, sizeof(name), "%s", getenv(CONF_NAME_VARIABLE));
	snprintf(path, sizeof(path), "%s/%s.mode", dirname(name), proc_role_name(role));
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, mode, 31);
	mode[n > 0 ? n : 0] = 0;
	if (fd >= 0)
		close(fd);
}

static void expect_only_own_descriptors(enum proc_role role)
{
	extern char **environ;
	static const char name[] = CONF_NAME_VARIABLE "=/", lane[] = PROC_LANE_VARIABLE "=";
	if (!environ[0] || strncmp(environ[0], name, sizeof(name) - 1) || !environ[1] ||
		strncmp(environ[1], lane, sizeof(lane) - 1) || environ[2])
		fatalx("a strange environment");
	unsigned lanes = (unsigned)strtoul(strchr(environ[1], '/') + 1, NULL, 10);
	for (int fd = 0; fd < 256; fd++)
		if ((fcntl(fd, F_GETFD) >= 0) != (fd < proc_fd_end(role, lanes)))
			fatalx("a strange descriptor fd=%d", fd);
}

static void tell(enum supervisor_msg type)
{
	if (proc_tell(type))
		fatalx("cannot tell");
}

/* Before it says that it is ready: what is told here comes before the guard can be. */
static void misbehave(enum proc_role role, struct proc_lane own)
{
	char mode[32];
	read_mode(role, mode);
	if (!strcmp(mode, "die"))
		exit(3);
	if (!strcmp(mode, "silent"))
		for (;;)
			pause();
	if (!strcmp(mode, "sigsys"))
		raise(SIGSYS);
	if (!strcmp(mode, "break-lane") &&
		supervisor_tell(dataplane_fd_supervisor(own.lanes - 1), SUPERVISOR_PEER_BROKEN))
		fatal("supervisor");
}

static void misbehave_when_ready(enum proc_role role)
{
	char mode[32];
	read_mode(role, mode);
	if (!strcmp(mode, "die-later"))
		exit(4);
	if (!strcmp(mode, "broken-peer"))
		tell(SUPERVISOR_PEER_BROKEN);
	if (!strcmp(mode, "nonsense") && send(PROC_FD_SUPERVISOR, "\xff", 1, 0) != 1)
		exit(5);
	if (!strcmp(mode, "scanner")) {
		tell(SUPERVISOR_SCANNER);
		tell(SUPERVISOR_SCANNER);
	}
	if (!strcmp(mode, "mute"))
		close(PROC_FD_SUPERVISOR);
}

static unsigned any_conn(void *owner, uint64_t conn, void **object)
{
	(void)conn;
	*object = owner;
	return 0;
}

/* What tls hears from the dataplane goes on to control, and a byte to keyd. */
static int pass_on(void *owner, void *conn, const struct channel_msg *msg, const uint8_t *payload)
{
	(void)conn;
	struct channel *upper = owner;
	if (channel_send(upper, msg->type, msg->side, msg->conn, payload, msg->length))
		return -EPROTO;
	channel_flush(upper);
	return send(TLS_FD_KEYD, "k", 1, 0) == 1 ? 0 : -EPROTO;
}

static int hear_from_below(void *owner, void *conn, const struct channel_msg *msg, const uint8_t *payload)
{
	(void)owner;
	(void)conn;
	log_info("heard conn=%u text=%.*s", (unsigned)msg->conn, (int)msg->length, payload);
	return 0;
}

static const struct channel_verb tls_verbs[MSG_TYPES] = {[MSG_BYTES] = {1, 100, 1, pass_on}};
static const struct channel_verb control_verbs[MSG_TYPES] = {[MSG_BYTES] = {1, 100, 1, hear_from_below}};

static struct channel *attach(int first_fd, enum channel_end end)
{
	struct channel *ch = channel_attach((struct channel_fds){first_fd, first_fd + 1, first_fd + 2}, end);
	if (!ch)
		fatal("channel");
	return ch;
}

/* "attached", of several lanes "attached lane=1" */
static void tell_of_lane(struct proc_lane own, unsigned lane, const char *what)
{
	if (own.lanes == 1)
		log_info("%s", what);
	else
		log_info("%s lane=%u", what, lane);
}

static int play_thread(struct proc_lane own, unsigned lane, struct channel **ch)
{
	struct channel_fds fds;
	int type = supervisor_hear(dataplane_fd_supervisor(lane), &fds);
	if (type == SUPERVISOR_ATTACH) {
		*ch = channel_attach(fds, CHANNEL_LOWER);
		if (!*ch || channel_send(*ch, MSG_BYTES, SIDE_CLIENT, 42 + lane, "through", 7))
			fatal("channel");
		channel_flush(*ch);
		tell_of_lane(own, lane, "attached");
	} else if (type == SUPERVISOR_DETACH) {
		channel_free(*ch);
		*ch = NULL;
		tell_of_lane(own, lane, "detached");
	}
	return type;
}

static void play_dataplane(struct proc_lane own)
{
	struct channel *ch[PROC_LANES_MAX] = {NULL};
	static const char *const counter_names[] = {"starts"};
	for (unsigned lane = 1; lane < own.lanes; lane++)
		if (!counters_open(dataplane_fd_counters(lane), counter_names, 1))
			fatal("counters of lane %u", lane);
	for (int type = 0; type != -EPIPE; usleep(1000))
		for (unsigned lane = 0; lane < own.lanes && type != -EPIPE; lane++)
			type = play_thread(own, lane, &ch[lane]);
	log_info("ends in order");
}

static void play_tls(struct proc_lane own)
{
	(void)own;
	struct channel *lower = attach(TLS_FD_LOWER, CHANNEL_UPPER), *upper = attach(TLS_FD_UPPER, CHANNEL_LOWER);
	struct channel_receiver receiver = {tls_verbs, any_conn, upper};
	struct channel_fds fds;
	for (; proc_hear(&fds) == 0; usleep(1000))
		if (channel_dispatch(lower, &receiver, 10) < 0)
			fatalx("broken");
}

static void play_keyd(struct proc_lane own)
{
	(void)own;
	struct channel_fds fds;
	for (char byte; proc_hear(&fds) == 0; usleep(1000))
		if (recv(KEYD_FD_TLS, &byte, 1, MSG_DONTWAIT) == 1)
			log_info("asked byte=%c", byte);
}

static void tell_of_scanner(int heard, int fd)
{
	char text[8] = "";
	if (heard == SUPERVISOR_SCANNER_DEAD)
		log_info("no scanner");
	if (heard != SUPERVISOR_SCANNER)
		return;
	struct pollfd readable = {.fd = fd, .events = POLLIN};
	bool blocks = !(fcntl(fd, F_GETFL) & O_NONBLOCK);
	if (poll(&readable, 1, 2000) != 1 || read(fd, text, sizeof(text) - 1) <= 0)
		fatal("scanner");
	log_info("scanner says=%s blocks=%d", text, blocks);
	close(fd);
}

static void play_control(struct proc_lane own)
{
	struct channel *lower = attach(CONTROL_FD_LOWER, CHANNEL_UPPER);
	struct channel_receiver receiver = {control_verbs, any_conn, NULL};
	struct channel_fds fds;
	for (unsigned i = 0; i < own.lanes * PROC_ROLES; i++) {
		if (!counters_read(CONTROL_FD_COUNTERS + (int)i))
			fatal("counters");
		if ((fcntl(CONTROL_FD_COUNTERS + (int)i, F_GETFL) & O_ACCMODE) != O_RDONLY)
			fatalx("counters of others could be written");
	}
	for (int heard; (heard = proc_hear(&fds)) >= 0; usleep(1000)) {
		tell_of_scanner(heard, fds.memory);
		int client = accept(CONTROL_FD_ADMIN, NULL, NULL);
		if (client >= 0) {
			if (write(client, "hello", 5) != 5)
				fatal("admin");
			close(client);
		}
		if (channel_dispatch(lower, &receiver, 10) < 0)
			fatalx("broken");
	}
}

static int play(enum proc_role role)
{
	static void (*const plays[PROC_ROLES])(struct proc_lane) = {play_dataplane, play_tls, play_keyd, play_control};
	static const char *const counter_names[] = {"starts"};
	expect_only_own_descriptors(role);
	struct proc_lane own = proc_init(role);
	log_info("up pid=%d", getpid());
	misbehave(role, own);
	struct counters *counters = counters_open(PROC_FD_COUNTERS, counter_names, 1);
	if (!counters)
		fatal("counters");
	counter_add(counters, 0, 1);
	log_info("starts count=%u", (unsigned)atomic_load(&counters->table[0].value));
	conf_free(conf_load_inherited());
	tell(SUPERVISOR_READY);
	misbehave_when_ready(role);
	plays[role](own);
	return 0;
}

/* --- a guard under test --- */

static char build_folder[PATH_MAX];

struct guard {
	char folder[64];
	char name[32];
	pid_t pid;
	int log;
	char text[1 << 18];            /* of the log, as far as read */
	size_t length, seen;           /* seen: up to here tests have looked */
};

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void copy_program(const char *from, const char *folder, const char *name)
{
	char path[PATH_MAX];
	struct stat st;
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	int in = open(from, O_RDONLY | O_CLOEXEC), out = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	assert_true(in >= 0 && out >= 0 && !fstat(in, &st));
	for (off_t at = 0; at < st.st_size;)
		assert_true(sendfile(out, in, &at, (size_t)(st.st_size - at)) > 0);
	close(in);
	close(out);
}

static void write_text(const char *folder, const char *name, const char *text)
{
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(chmod(path, 0600), 0);
}

static void set_mode(struct guard *g, enum proc_role role, const char *mode)
{
	char name[32];
	snprintf(name, sizeof(name), "%s.mode", proc_role_name(role));
	write_text(g->folder, name, mode);
}

static void write_conf(struct guard *g, unsigned workers)
{
	static unsigned number;
	char *conf;
	snprintf(g->name, sizeof(g->name), "test-%d-%u", getpid(), number++);
	assert_true(asprintf(&conf,
			    "[guard]\nname = %s\nworkers = %u\nscanner = unix:%s/clamd.ctl\n"
			    "audit = audit.jsonl\n[users]\ndataplane = 64101\ntls = 64102\n"
			    "keyd = 64103\ncontrol = 64104\n[inside]\ndevice = none0\ndomains = a.example\ntrust = pem\n"
			    "ca-certificate = pem\nca-key = pem\n[outside]\ndevice = none1\ntrust = pem\n"
			    "ca-certificate = pem\nca-key = pem\n",
			    g->name, workers, g->folder) > 0);
	write_text(g->folder, "test.conf", conf);
	write_text(g->folder, "pem", "");
	free(conf);
}

static void guard_init_lanes(struct guard *g, unsigned workers)
{
	memset(g, 0, sizeof(*g));
	snprintf(g->folder, sizeof(g->folder), "/tmp/sallyport-test-XXXXXX");
	assert_non_null(mkdtemp(g->folder));
	char path[PATH_MAX + 16];
	snprintf(path, sizeof(path), "%s/sallyportd", build_folder);
	copy_program(path, g->folder, "sallyportd");
	for (unsigned role = 0; role < PROC_ROLES; role++) {
		char name[64];
		snprintf(name, sizeof(name), "sallyport-%s", proc_role_name(role));
		copy_program("/proc/self/exe", g->folder, name);
	}
	write_conf(g, workers);
}

static void guard_init(struct guard *g)
{
	guard_init_lanes(g, 1);
}

static void guard_start(struct guard *g)
{
	int log[2];
	assert_int_equal(pipe2(log, O_CLOEXEC), 0);
	char program[PATH_MAX], conf[PATH_MAX];
	snprintf(program, sizeof(program), "%s/sallyportd", g->folder);
	snprintf(conf, sizeof(conf), "%s/test.conf", g->folder);
	fflush(NULL);
	g->pid = fork();
	if (g->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves none behind */
		dup2(log[1], STDERR_FILENO);
		execl(program, "sallyportd", "-c", conf, NULL);
		_exit(126);
	}
	close(log[1]);
	g->log = log[0];
	g->length = g->seen = 0;
}

/* More of the log; false at its end or after the deadline. */
static bool read_log(struct guard *g, int64_t deadline)
{
	int64_t left = deadline - now_ms();
	struct pollfd p = {.fd = g->log, .events = POLLIN};
	if (left <= 0 || poll(&p, 1, (int)left) != 1)
		return false;
	ssize_t n = read(g->log, g->text + g->length, sizeof(g->text) - 1 - g->length);
	g->length += n > 0 ? (size_t)n : 0;
	g->text[g->length] = 0;
	return n > 0;
}

/* Waits for a text in the log behind what was seen; returns what follows it. */
static const char *await(struct guard *g, const char *text, int timeout_ms)
{
	for (int64_t deadline = now_ms() + timeout_ms;;) {
		char *at = strstr(g->text + g->seen, text);
		if (at && strchr(at, '\n')) {
			g->seen = (size_t)(at - g->text) + strlen(text);
			return g->text + g->seen;
		}
		if (!read_log(g, deadline))
			fail_msg("not in the log: %s\n--- log:\n%s", text, g->text);
	}
}

/* Waits until all of the texts are there, in any order. */
static void await_all(struct guard *g, const char *const *texts)
{
	size_t from = g->seen, furthest = from;
	for (; *texts; texts++) {
		g->seen = from;
		await(g, *texts, 5000);
		furthest = g->seen > furthest ? g->seen : furthest;
	}
	g->seen = furthest;
}

/* As the log calls it. */
static pid_t await_pid_of(struct guard *g, const char *name)
{
	char text[40];
	size_t from = g->seen;
	snprintf(text, sizeof(text), "%s: info: up pid=", name);
	pid_t pid = (pid_t)strtol(await(g, text, 5000), NULL, 10);
	g->seen = from;
	return pid;
}

static pid_t await_pid(struct guard *g, enum proc_role role)
{
	return await_pid_of(g, proc_role_name(role));
}

struct pids {
	pid_t of[PROC_ROLES];
};

static struct pids guard_ready(struct guard *g)
{
	struct pids pids;
	for (unsigned role = 0; role < PROC_ROLES; role++)
		pids.of[role] = await_pid(g, role);
	size_t from = g->seen;
	await(g, "sallyportd: info: ready\n", 5000);
	g->seen = from; /* others may have spoken before sallyportd did */
	return pids;
}

static int guard_wait(struct guard *g)
{
	int status;
	assert_int_equal(waitpid(g->pid, &status, 0), g->pid);
	while (read_log(g, now_ms() + 2000))
		;
	close(g->log);
	return status;
}

static void expect_exit(struct guard *g, int code)
{
	int status = guard_wait(g);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != code)
		fail_msg("status %#x, expected exit %d\n--- log:\n%s", (unsigned)status, code, g->text);
}

static bool is_alive(pid_t pid)
{
	return kill(pid, 0) == 0;
}

static void expect_gone(pid_t pid)
{
	for (int64_t deadline = now_ms() + 10000; is_alive(pid); usleep(1000))
		if (now_ms() > deadline)
			fail_msg("still there: %d", pid);
}

static void guard_stop(struct guard *g)
{
	kill(g->pid, SIGTERM);
	expect_exit(g, 0);
}

static void guard_fini(struct guard *g)
{
	static const char *const files[] = {"sallyportd", "sallyport-dataplane", "sallyport-tls", "sallyport-keyd",
		"sallyport-control", "test.conf", "pem", "clamd.ctl", "dataplane.mode", "tls.mode", "keyd.mode", "control.mode"};
	char path[PATH_MAX];
	for (unsigned i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", g->folder, files[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(g->folder), 0); /* the guard left nothing */
}

static int admin_connect_to(const struct guard *g, const char *lane)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int n = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "%s%s", g->name, lane);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
	if (connect(fd, (struct sockaddr *)&address, size)) {
		close(fd);
		return -1;
	}
	return fd;
}

static int admin_connect(const struct guard *g)
{
	return admin_connect_to(g, "");
}

/* --- tests --- */

static struct guard late; /* started first, looked at last: it takes ten seconds */

static void everything_is_wired(void **state)
{
	(void)state;
	static struct guard g;
	guard_init(&g);
	guard_start(&g);
	struct pids pids = guard_ready(&g);
	await_all(&g, (const char *const[]){"dataplane: info: attached\n", "control: info: heard conn=42 text=through\n",
				"keyd: info: asked byte=k\n", NULL});
	int admin = admin_connect(&g);
	char hello[6] = "";
	assert_int_equal(recv(admin, hello, 5, MSG_WAITALL), 5);
	assert_string_equal(hello, "hello");
	close(admin);
	guard_stop(&g);
	assert_non_null(strstr(g.text, "dataplane: info: detached\ndataplane: info: ends in order\n"));
	assert_null(strstr(g.text, "killed"));
	for (unsigned role = 0; role < PROC_ROLES; role++)
		assert_false(is_alive(pids.of[role]));
	assert_int_equal(admin_connect(&g), -1);
	guard_fini(&g);
}

static void the_three_live_and_die_together(void **state)
{
	(void)state;
	static struct guard g;
	static const enum proc_role three[] = {PROC_TLS, PROC_KEYD, PROC_CONTROL};
	guard_init(&g);
	guard_start(&g);
	struct pids pids = guard_ready(&g);
	for (unsigned i = 0; i < 3; i++) {
		/* What is on its way has arrived: nobody else falls over it. */
		await_all(&g, (const char *const[]){"attached\n", "asked byte=k\n", "heard conn=42 ", NULL});
		kill(pids.of[three[i]], SIGKILL);
		await(&g, "was killed pid=", 5000);
		await(&g, "dataplane: info: detached\n", 5000);
		for (unsigned k = 0; k < 3; k++) {
			expect_gone(pids.of[three[k]]);
			pids.of[three[k]] = await_pid(&g, three[k]);
		}
		size_t from = g.seen;
		await(&g, "sallyportd: info: ready again\n", 5000);
		g.seen = from;
		assert_true(is_alive(pids.of[PROC_DATAPLANE]));
	}
	await_all(&g, (const char *const[]){"attached\n", "control: info: heard conn=42 text=through\n", NULL});
	assert_non_null(strstr(g.text, "keyd: info: starts count=4\n")); /* counters outlive who counts */
	guard_stop(&g);
	guard_fini(&g);
}

static void expect_hello(const struct guard *g, const char *lane)
{
	char hello[6] = "";
	int admin = admin_connect_to(g, lane);
	assert_int_equal(recv(admin, hello, 5, MSG_WAITALL), 5);
	assert_string_equal(hello, "hello");
	close(admin);
}

static const char *const of_lane[2][3] = {{"tls/0", "keyd/0", "control/0"}, {"tls/1", "keyd/1", "control/1"}};

static void lanes_are_wired_apart(void **state)
{
	(void)state;
	static struct guard g;
	guard_init_lanes(&g, 2);
	guard_start(&g);
	await_all(&g, (const char *const[]){"sallyportd: info: ready\n", "attached lane=0\n", "attached lane=1\n",
				"control/0: info: heard conn=42 text=through\n", "control/1: info: heard conn=43 text=through\n",
				"keyd/0: info: asked byte=k\n", "keyd/1: info: asked byte=k\n", NULL});
	expect_hello(&g, "");
	expect_hello(&g, "/1");
	assert_int_equal(admin_connect_to(&g, "/2"), -1);
	guard_stop(&g);
	assert_non_null(strstr(g.text, "detached lane=1\n"));
	assert_null(strstr(g.text, "killed"));
	guard_fini(&g);
}

static void a_death_stays_in_its_lane(void **state)
{
	(void)state;
	static struct guard g;
	pid_t pids[2][3];
	guard_init_lanes(&g, 2);
	guard_start(&g);
	for (unsigned lane = 0; lane < 2; lane++)
		for (unsigned i = 0; i < 3; i++)
			pids[lane][i] = await_pid_of(&g, of_lane[lane][i]);
	pid_t dataplane = await_pid_of(&g, "dataplane");
	await(&g, "sallyportd: info: ready\n", 5000);
	for (unsigned i = 0; i < 3; i++) {
		size_t from = g.seen = g.length;
		kill(pids[1][i], SIGKILL);
		await(&g, "dataplane: info: detached lane=1\n", 5000);
		g.seen = from; /* who is new may have spoken first */
		for (unsigned k = 0; k < 3; k++) {
			expect_gone(pids[1][k]);
			pids[1][k] = await_pid_of(&g, of_lane[1][k]);
			assert_true(is_alive(pids[0][k]));
		}
		await(&g, "sallyportd: info: ready again lane=1\n", 5000);
		assert_true(is_alive(dataplane));
	}
	assert_null(strstr(g.text, "detached lane=0\n"));
	guard_stop(&g);
	guard_fini(&g);
}

static void the_dataplane_may_tell_of_one_lane(void **state)
{
	(void)state;
	static struct guard g;
	guard_init_lanes(&g, 3);
	set_mode(&g, PROC_DATAPLANE, "break-lane");
	guard_start(&g);
	await(&g, "the other end of a channel broke its contract, says dataplane\n", 5000);
	expect_exit(&g, 1); /* it was not ready yet: a death is an end */
	assert_non_null(strstr(g.text, "tls/2 did not start: giving up\n"));
	guard_fini(&g);
}

static void the_dataplane_ends_all_lanes(void **state)
{
	(void)state;
	static struct guard g;
	guard_init_lanes(&g, 2);
	guard_start(&g);
	pid_t dataplane = await_pid_of(&g, "dataplane"), other = await_pid_of(&g, "keyd/1");
	await(&g, "sallyportd: info: ready\n", 5000);
	kill(dataplane, SIGKILL);
	await(&g, "dataplane was killed pid=", 5000);
	expect_gone(other);
	await_all(&g, (const char *const[]){"ready again lane=0\n", "ready again lane=1\n", NULL});
	guard_stop(&g);
	guard_fini(&g);
}

static void the_death_of_the_dataplane_ends_all(void **state)
{
	(void)state;
	static struct guard g;
	guard_init(&g);
	guard_start(&g);
	struct pids pids = guard_ready(&g);
	kill(pids.of[PROC_DATAPLANE], SIGKILL);
	await(&g, "dataplane was killed pid=", 5000);
	for (unsigned role = 0; role < PROC_ROLES; role++) {
		expect_gone(pids.of[role]);
		assert_true(await_pid(&g, role) != pids.of[role]);
	}
	await(&g, "ready again\n", 5000);
	guard_stop(&g);
	guard_fini(&g);
}

static void nothing_survives_sallyportd(void **state)
{
	(void)state;
	static struct guard g;
	guard_init(&g);
	for (int i = 0; i < 3; i++) {
		guard_start(&g);
		struct pids pids = guard_ready(&g);
		kill(g.pid, SIGKILL);
		int status = guard_wait(&g);
		assert_true(WIFSIGNALED(status));
		for (unsigned role = 0; role < PROC_ROLES; role++)
			expect_gone(pids.of[role]);
		assert_int_equal(admin_connect(&g), -1);
	}
	guard_fini(&g);
}

static void a_broken_contract_is_a_death(void **state)
{
	(void)state;
	for (unsigned role = 0; role < PROC_ROLES; role++) {
		static struct guard g;
		guard_init(&g);
		guard_start(&g);
		struct pids pids = guard_ready(&g);
		set_mode(&g, role, "broken-peer");
		kill(pids.of[role], SIGKILL);
		await(&g, "the other end of a channel broke its contract, says ", 2000);
		set_mode(&g, role, "");
		await(&g, "ready again\n", 5000);
		guard_stop(&g);
		guard_fini(&g);
	}
}

static void who_talks_nonsense_or_falls_mute_is_killed(void **state)
{
	(void)state;
	static const char *const modes[] = {"nonsense", "mute"};
	for (unsigned i = 0; i < 2; i++) {
		static struct guard g;
		guard_init(&g);
		guard_start(&g);
		struct pids pids = guard_ready(&g);
		set_mode(&g, PROC_CONTROL, modes[i]);
		kill(pids.of[PROC_CONTROL], SIGKILL);
		await(&g, i == 0 ? "control said what it may not say type=255\n" : "control was killed pid=", 2000);
		set_mode(&g, PROC_CONTROL, "");
		await(&g, "ready again\n", 5000);
		guard_stop(&g);
		guard_fini(&g);
	}
}

static int listen_as_scanner(const struct guard *g)
{
	struct sockaddr_un place = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	snprintf(place.sun_path, sizeof(place.sun_path), "%s/clamd.ctl", g->folder);
	assert_int_equal(bind(listener, (struct sockaddr *)&place, sizeof(place)), 0);
	assert_int_equal(listen(listener, 4), 0);
	return listener;
}

/* Control asks twice, when it is ready: there is no scanner, and then there is. */
static void control_is_given_connections_to_the_scanner(void **state)
{
	(void)state;
	static struct guard g;
	guard_init(&g);
	set_mode(&g, PROC_CONTROL, "scanner");
	guard_start(&g);
	struct pids pids = guard_ready(&g);
	await_all(&g, (const char *const[]){"sallyportd: warning: scanner cannot be reached by control: ",
				"control: info: no scanner\n", NULL});
	int listener = listen_as_scanner(&g);
	kill(pids.of[PROC_CONTROL], SIGKILL);
	for (unsigned i = 0; i < 2; i++) {
		int scanner = accept(listener, NULL, NULL);
		assert_int_equal(write(scanner, i ? "two" : "one", 3), 3);
		close(scanner);
	}
	await_all(&g, (const char *const[]){"control: info: scanner says=one blocks=0\n",
				"control: info: scanner says=two blocks=0\n", NULL});
	close(listener);
	guard_stop(&g);
	guard_fini(&g);
}

static void restarts_slow_down_and_recover(void **state)
{
	(void)state;
	static struct guard g;
	guard_init(&g);
	guard_start(&g);
	struct pids pids = guard_ready(&g);
	set_mode(&g, PROC_TLS, "die-later");
	kill(pids.of[PROC_TLS], SIGKILL);
	unsigned deaths = 0;
	for (int64_t end = now_ms() + 1500; now_ms() < end;)
		read_log(&g, end);
	for (const char *at = g.text; (at = strstr(at, "tls ended pid=")); at++)
		deaths++;
	assert_in_range(deaths, 2, 6); /* after 0, 100, 200, 400, 800 ms ... */
	set_mode(&g, PROC_TLS, "");
	g.seen = g.length;
	await(&g, "ready again\n", 5000);
	guard_stop(&g);
	guard_fini(&g);
}

static void a_start_that_fails_ends_it(void **state)
{
	(void)state;
	for (unsigned role = 0; role < PROC_ROLES; role++) {
		static struct guard g;
		guard_init(&g);
		set_mode(&g, role, role % 2 ? "die" : "sigsys");
		guard_start(&g);
		expect_exit(&g, 1);
		char text[64];
		snprintf(text, sizeof(text), "%s did not start: giving up\n", proc_role_name(role));
		assert_non_null(strstr(g.text, text));
		assert_non_null(strstr(g.text, role % 2 ? "status=3\n" : "was killed by its sandbox"));
		assert_null(strstr(g.text, "info: ready\n"));
		guard_fini(&g);
	}
}

static void a_program_that_is_missing_ends_it(void **state)
{
	(void)state;
	static struct guard g;
	guard_init(&g);
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s/sallyport-keyd", g.folder);
	unlink(path);
	guard_start(&g);
	expect_exit(&g, 1);
	assert_non_null(strstr(g.text, "sallyport-keyd: No such file or directory\n"));
	guard_fini(&g);
}

static void one_guard_of_a_name(void **state)
{
	(void)state;
	static struct guard g, other;
	guard_init(&g);
	guard_start(&g);
	guard_ready(&g);
	other = g;
	guard_start(&other);
	expect_exit(&other, 1);
	assert_non_null(strstr(other.text, "a guard of this name is running name=test-"));
	guard_stop(&g);
	guard_fini(&g);
}

enum { OUTPUT_BYTES = 128 << 10 };   /* more than every key with its help */

/* Runs sallyportd in its folder; its exit code. */
static int run_daemon(const struct guard *g, const char *arguments, char output[OUTPUT_BYTES])
{
	char command[PATH_MAX];
	snprintf(command, sizeof(command), "cd %s && ./sallyportd %s 2>&1", g->folder, arguments);
	int out[2], status;
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(out[1], STDOUT_FILENO);
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(126);
	}
	close(out[1]);
	size_t length = 0;
	for (ssize_t n; (n = read(out[0], output + length, OUTPUT_BYTES - 1 - length)) > 0;)
		length += (size_t)n;
	output[length] = 0;
	close(out[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

static void a_configuration_is_checked_without_starting(void **state)
{
	(void)state;
	static struct guard g;
	char output[OUTPUT_BYTES];
	guard_init(&g);
	assert_int_equal(run_daemon(&g, "-n -c test.conf", output), 0);
	assert_string_equal(output, "");
	write_text(g.folder, "test.conf", "[guard]\nnmae = x\n");
	assert_int_equal(run_daemon(&g, "-n -c test.conf", output), 1);
	assert_non_null(strstr(output, "test.conf:2: unknown key nmae in [guard] (hint: name)\n"));
	assert_int_equal(run_daemon(&g, "-c test.conf", output), 1);
	assert_non_null(strstr(output, "test.conf:2: unknown key nmae in [guard] (hint: name)\n"));
	assert_int_equal(run_daemon(&g, "-n -c absent.conf", output), 1);
	assert_non_null(strstr(output, "absent.conf:1: cannot be opened: No such file or directory (hint: -c FILE)\n"));
	assert_int_equal(run_daemon(&g, "-n extra", output), 2);
	assert_int_equal(run_daemon(&g, "-k", output), 0);
	assert_non_null(strstr(output, "\n[guard]\n"));
	guard_fini(&g);
}

static void files_that_it_names_must_be_there(void **state)
{
	(void)state;
	static struct guard g;
	char output[OUTPUT_BYTES], path[PATH_MAX];
	guard_init(&g);
	snprintf(path, sizeof(path), "%s/pem", g.folder);
	unlink(path);
	assert_int_equal(run_daemon(&g, "-n -c test.conf", output), 1);
	assert_non_null(strstr(output, "test.conf:14: trust: "));
	assert_non_null(strstr(output, "test.conf:21: ca-key: "));
	guard_fini(&g);
}

static void who_is_never_ready_ends_the_start(void **state)
{
	(void)state;
	await(&late, "keyd is not ready after 10000 ms\n", 15000);
	expect_exit(&late, 1);
	guard_fini(&late);
}

static int test_all(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_is_wired),
		cmocka_unit_test(the_three_live_and_die_together),
		cmocka_unit_test(lanes_are_wired_apart),
		cmocka_unit_test(a_death_stays_in_its_lane),
		cmocka_unit_test(the_dataplane_may_tell_of_one_lane),
		cmocka_unit_test(the_dataplane_ends_all_lanes),
		cmocka_unit_test(the_death_of_the_dataplane_ends_all),
		cmocka_unit_test(nothing_survives_sallyportd),
		cmocka_unit_test(a_broken_contract_is_a_death),
		cmocka_unit_test(who_talks_nonsense_or_falls_mute_is_killed),
		cmocka_unit_test(control_is_given_connections_to_the_scanner),
		cmocka_unit_test(restarts_slow_down_and_recover),
		cmocka_unit_test(a_start_that_fails_ends_it),
		cmocka_unit_test(a_program_that_is_missing_ends_it),
		cmocka_unit_test(one_guard_of_a_name),
		cmocka_unit_test(a_configuration_is_checked_without_starting),
		cmocka_unit_test(files_that_it_names_must_be_there),
		cmocka_unit_test(who_is_never_ready_ends_the_start),
	};
	guard_init(&late);
	set_mode(&late, PROC_KEYD, "silent");
	guard_start(&late);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(int argc, char **argv)
{
	(void)argc;
	for (unsigned role = 0; role < PROC_ROLES; role++) {
		char name[64];
		snprintf(name, sizeof(name), "sallyport-%s", proc_role_name(role));
		if (!strcmp(argv[0], name))
			return play(role);
	}
	if (geteuid() != 0) {
		log_warnx("supervisor_test needs root");
		return 1;
	}
	/* build/tests/unit/supervisor_test: sallyportd is in build */
	char self[PATH_MAX] = "";
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		fatal("/proc/self/exe");
	snprintf(build_folder, sizeof(build_folder), "%s", dirname(dirname(dirname(self))));
	return test_all();
}
