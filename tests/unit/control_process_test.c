/*
 * The real sallyport-control in its sandbox; the test is its sallyportd, its tls, and the operator who asks by
 * sallyport. Needs root, as sallyportd does.
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
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "dataplane/base/conf.h"
#include "dataplane/base/counters.h"
#include "dataplane/base/proc.h"
#include "policy/element.h"
#include "tests/unit/channel_harness.h"

enum { SPARE_FD = 100, WAIT_MS = 10000, USER = 64104 };

enum { LANES = 2, COUNTER_SETS = LANES * PROC_ROLES };

struct guard {
	struct proc_lane lane;
	int counters[COUNTER_SETS];    /* closed when it runs */
	pid_t pid;
	int supervisor; /* our end */
	struct player tls;
	char name[32], audit[64], build[PATH_MAX];
};

static int conf_image(const struct guard *g)
{
	char file[32];
	int fd = memfd_create("conf", 0);
	assert_true(fd >= 0);
	dprintf(fd,
		"[guard]\nname = %s\nworkers = %u\nports = 5269\naudit = %s\n"
		"[users]\ndataplane = 64101\ntls = 64102\nkeyd = 64103\ncontrol = %d\n"
		"[inside]\ndevice = eth1\ndomains = a.example\ntrust = t\nca-certificate = c\nca-key = k\n"
		"[outside]\ndevice = eth2\ntrust = t\nca-certificate = c\nca-key = k\n"
		"[profile p]\n[peer b.example]\nprofile = p\n",
		g->name, g->lane.lanes, g->audit, USER);
	snprintf(file, sizeof(file), "/proc/self/fd/%d", fd);
	struct conf *conf = conf_load(file, "/etc/test.conf", stderr);
	assert_non_null(conf);
	close(fd);
	fd = conf_seal(conf);
	assert_true(fd >= 0);
	conf_free(conf);
	return fd;
}

static int admin_socket(const struct guard *g)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char name[48];
	snprintf(name, sizeof(name), "%s/%u", g->name, g->lane.lane);
	size_t len = g->lane.lane ? strlen(name) : strlen(g->name);
	memcpy(address.sun_path + 1, name, len);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_true(fd >= 0);
	assert_int_equal(
		bind(fd, (struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + len)),
		0);
	assert_int_equal(listen(fd, 8), 0);
	return fd;
}

static void become_control(const struct guard *g, const int *fds, unsigned count)
{
	char path[PATH_MAX + 32], variable[] = CONF_NAME_VARIABLE "=/etc/test.conf", lane[64];
	char no_leaks[] = "ASAN_OPTIONS=detect_leaks=0"; /* that check cannot look from inside of the sandbox */
	snprintf(path, sizeof(path), "%s/sallyport-control", g->build);
	snprintf(lane, sizeof(lane), PROC_LANE_VARIABLE "=%u/%u", g->lane.lane, g->lane.lanes);
	for (unsigned i = 0; i < count; i++)
		dup2(fds[i], SPARE_FD + (int)i);
	for (unsigned i = 0; i < count; i++)
		dup2(SPARE_FD + (int)i, PROC_FD_SUPERVISOR + (int)i);
	execle(path, "sallyport-control", NULL, (char *[]){variable, lane, no_leaks, NULL});
	_exit(99);
}

/* In the order of enum proc_fd, for control. */
static void start(struct guard *g)
{
	int pair[2], fds[PROC_FD_END];
	unsigned count = 0;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	player_init(&g->tls, CHANNEL_UPPER);
	struct channel_fds channel = player_fds(&g->tls);
	fds[count++] = pair[1];
	fds[count++] = conf_image(g);
	fds[count++] = dup(g->counters[g->lane.lane * PROC_ROLES + PROC_CONTROL]);
	fds[count++] = channel.memory;
	fds[count++] = channel.wake_upper;
	fds[count++] = channel.wake_lower;
	fds[count++] = admin_socket(g);
	for (unsigned i = 0; i < g->lane.lanes * PROC_ROLES; i++)
		fds[count++] = dup(g->counters[i]);
	g->pid = fork();
	assert_true(g->pid >= 0);
	if (!g->pid)
		become_control(g, fds, count);
	for (unsigned i = 0; i < count; i++)
		close(fds[i]);
	g->supervisor = pair[0];
}

static void await_ready(const struct guard *g)
{
	uint8_t byte = 0;
	struct pollfd ready = {.fd = g->supervisor, .events = POLLIN};
	assert_int_equal(poll(&ready, 1, WAIT_MS), 1);
	assert_int_equal(recv(g->supervisor, &byte, 1, 0), 1);
	assert_int_equal(byte, SUPERVISOR_READY);
}

static struct guard *guard_new(struct proc_lane lane, const int counters[COUNTER_SETS])
{
	struct guard *g = calloc(1, sizeof(*g));
	assert_non_null(g);
	g->lane = lane;
	memcpy(g->counters, counters, sizeof(g->counters));
	ssize_t n = readlink("/proc/self/exe", g->build, sizeof(g->build) - 1);
	assert_true(n > 0);
	for (unsigned up = 0; up < 3; up++) /* BUILD/tests/unit/this */
		*strrchr(g->build, '/') = '\0';
	snprintf(g->name, sizeof(g->name), "control-test-%d", getpid());
	snprintf(g->audit, sizeof(g->audit), "/tmp/%s.jsonl", g->name);
	start(g);
	await_ready(g);
	return g;
}

static void create_counters(int counters[COUNTER_SETS])
{
	for (unsigned i = 0; i < COUNTER_SETS; i++)
		counters[i] = counters_create();
}

static void close_counters(const int counters[COUNTER_SETS])
{
	for (unsigned i = 0; i < COUNTER_SETS; i++)
		close(counters[i]);
}

static int set_up(void **state)
{
	int counters[COUNTER_SETS];
	create_counters(counters);
	*state = guard_new((struct proc_lane){0, 1}, counters);
	close_counters(counters);
	return 0;
}

static int wait_for_end(struct guard *g)
{
	int status = -1;
	for (unsigned i = 0; i < WAIT_MS / 10; i++) {
		if (waitpid(g->pid, &status, WNOHANG) == g->pid) {
			g->pid = 0;
			return status;
		}
		usleep(10000);
	}
	fail_msg("control does not end");
	return -1;
}

static void guard_free(struct guard *g)
{
	if (g->pid) {
		kill(g->pid, SIGKILL);
		waitpid(g->pid, NULL, 0);
	}
	close(g->supervisor);
	player_fini(&g->tls);
	unlink(g->audit);
	free(g);
}

static int tear_down(void **state)
{
	guard_free(*state);
	return 0;
}

/* Runs sallyport with these words, at most seven; its output is to be freed. */
static char *ask(const struct guard *g, const char *words, int expected_status)
{
	char path[PATH_MAX + 32], copy[512], program[] = "sallyport", option[] = "-n", name[32];
	char *argv[12] = {program, option, name}, *text = calloc(1, 1 << 20);
	int out[2], status = 0;
	ssize_t n;
	size_t len = 0;
	assert_non_null(text);
	snprintf(path, sizeof(path), "%s/sallyport", g->build);
	snprintf(copy, sizeof(copy), "%s", words);
	snprintf(name, sizeof(name), "%s", g->name);
	char *rest = copy;
	for (unsigned i = 3; rest && *rest && i < 11; i++)
		argv[i] = strsep(&rest, " ");
	assert_int_equal(pipe(out), 0);
	pid_t pid = fork();
	if (!pid) {
		dup2(out[1], STDOUT_FILENO);
		dup2(out[1], STDERR_FILENO);
		execv(path, argv);
		_exit(99);
	}
	close(out[1]);
	while ((n = read(out[0], text + len, (1 << 20) - 1 - len)) > 0)
		len += (size_t)n;
	close(out[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != expected_status)
		fail_msg("%s: status %d: %s", words, status, text);
	return text;
}

static void expect_answer(const struct guard *g, const char *command, int status, const char *needle)
{
	char *text = ask(g, command, status);
	if (!strstr(text, needle))
		fail_msg("%s: no \"%s\" in: %s", command, needle, text);
	for (const char *line = text; *line; line += strcspn(line, "\n") + (line[strcspn(line, "\n")] != '\0'))
		assert_true(strcspn(line, "\n") <= 80);
	free(text);
}

static char *audit(const struct guard *g)
{
	char *text = calloc(1, 1 << 20);
	assert_non_null(text);
	int fd = open(g->audit, O_RDONLY);
	assert_true(fd >= 0);
	assert_true(read(fd, text, (1 << 20) - 1) >= 0);
	close(fd);
	return text;
}

static void expect_audit(const struct guard *g, const char *needle)
{
	char *text = audit(g);
	if (!strstr(text, needle))
		fail_msg("no \"%s\" in: %s", needle, text);
	free(text);
}

#define HEADER                                                                                                    \
	"<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' from='%s' to='%s' " \
	"version='1.0'>"

static void dial(struct guard *g, uint64_t conn, const char *from, const char *to)
{
	struct msg_opened opened = {
		.family = 6, .client_wire = WIRE_INSIDE, .client_port = 1234, .server_port = 5269};
	char text[512];
	snprintf(text, sizeof(text), HEADER, from, to);
	player_say(&g->tls, MSG_OPENED, SIDE_CLIENT, conn, &opened, sizeof(opened));
	player_say(&g->tls, MSG_BYTES, SIDE_CLIENT, conn, text, (uint32_t)strlen(text));
}

static void expect_said(struct guard *g, enum msg_type type, enum conn_side side, const char *needle)
{
	struct channel_msg msg;
	char *payload = calloc(1, CHANNEL_PAYLOAD_MAX + 1);
	assert_non_null(payload);
	assert_true(player_await(&g->tls, &msg, payload, WAIT_MS));
	assert_string_equal(msg_type_name(msg.type), msg_type_name(type));
	assert_int_equal(msg.side, side);
	if (needle && !strstr(payload, needle))
		fail_msg("no \"%s\" in: %s", needle, payload);
	free(payload);
}

static void a_header_passes_and_is_seen(void **state)
{
	struct guard *g = *state;
	expect_answer(g, "show sessions", 0, "0 sessions\n");
	dial(g, 7, "a.example", "b.example");
	expect_said(g, MSG_BYTES, SIDE_SERVER, "from='a.example' to='b.example'");
	expect_answer(g, "show sessions", 0, "7  a.example -> b.example  (outbound, answering, clear, none)\n");
	expect_answer(g, "show counters", 0, "control\n  sessions-opened  ");
	expect_answer(g, "show verdicts", 0, "0 verdicts");
	expect_answer(g, "show certificates", 0, "0 guard certificates");
	player_say(&g->tls, MSG_CLOSED, SIDE_CLIENT, 7, NULL, 0);
	dial(g, 8, "a.example", "evil.example");
	expect_said(g, MSG_BYTES, SIDE_CLIENT, "<policy-violation");
	expect_audit(g, "\"event\":\"guard\",\"what\":\"started\"");
	expect_audit(g, "\"ended\":\"connection closed\"");
	expect_audit(g, "\"alert\":\"peering-refused\"");
}

static void direct_tls_is_asked_named_and_seen(void **state)
{
	struct guard *g = *state;
	struct msg_opened opened = {.family = 4, .client_wire = WIRE_INSIDE, .client_port = 1234, .server_port = 5270};
	struct msg_client_hello hello = {.server_name = "b.example", .alpn = HELLO_ALPN_XMPP};
	struct msg_client_ready ready = {1};
	char text[512];
	snprintf(text, sizeof(text), HEADER, "a.example", "b.example");
	player_say(&g->tls, MSG_OPENED, SIDE_CLIENT, 7, &opened, sizeof(opened));
	player_say(&g->tls, MSG_CLIENT_HELLO, SIDE_CLIENT, 7, &hello, sizeof(hello));
	expect_said(g, MSG_START_TLS, SIDE_CLIENT, NULL);
	expect_answer(g, "show sessions", 0, "7  ? -> b.example  (outbound, tls-handshake, TLS direct, none)\n");
	player_say(&g->tls, MSG_CLIENT_READY, SIDE_CLIENT, 7, &ready, sizeof(ready));
	player_say(&g->tls, MSG_BYTES, SIDE_CLIENT, 7, text, (uint32_t)strlen(text));
	expect_said(g, MSG_NAME_CLIENT, SIDE_CLIENT, "a.example");
	expect_answer(g, "show sessions", 0, "7  a.example -> b.example  (outbound, tls-named, TLS direct, none)\n");
	hello.server_name[0] = '\0';
	player_say(&g->tls, MSG_OPENED, SIDE_CLIENT, 8, &opened, sizeof(opened));
	player_say(&g->tls, MSG_CLIENT_HELLO, SIDE_CLIENT, 8, &hello, sizeof(hello));
	expect_said(g, MSG_END_OF_STREAM, SIDE_CLIENT, NULL);
	expect_audit(g, "direct TLS without a server name (SNI)");
	expect_audit(g, "\"tls_by\":\"direct\"");
}

/* Of two lanes each tells of itself, and the first of what is of the guard as a whole. */
static void lanes_answer_together(void **state)
{
	(void)state;
	int counters[COUNTER_SETS];
	struct guard *lane[LANES];
	create_counters(counters);
	for (unsigned i = 0; i < LANES; i++) {
		lane[i] = guard_new((struct proc_lane){i, LANES}, counters);
		dial(lane[i], 7 + i, "a.example", "b.example");
		expect_said(lane[i], MSG_BYTES, SIDE_SERVER, "from='a.example' to='b.example'");
	}
	close_counters(counters);
	expect_answer(lane[0], "show sessions", 0, "lane 0\n1 session\n7  a.example -> b.example");
	expect_answer(lane[0], "show sessions", 0, "lane 1\n1 session\n8  a.example -> b.example");
	char *text = ask(lane[0], "show counters", 0), *opened = strstr(text, "sessions-opened ");
	assert_non_null(opened);
	assert_int_equal(strtoul(opened + strlen("sessions-opened "), NULL, 10), LANES);
	assert_null(strstr(opened + 1, "sessions-opened ")); /* once, for all */
	assert_null(strstr(text, "lane "));
	free(text);
	text = ask(lane[0], "help", 0);
	assert_null(strstr(strstr(text, "show sessions") + 1, "show sessions"));
	free(text);
	expect_answer(lane[0], "nonsense", 1, "error: unknown command");
	for (unsigned i = 0; i < LANES; i++)
		guard_free(lane[i]);
}

static void it_answers_what_it_is_asked(void **state)
{
	struct guard *g = *state;
	expect_answer(g, "help", 0, "show certificates");
	expect_answer(g, "show ?", 0, "show certificates");
	expect_answer(g, "show nonsense", 1, "error: unknown command \"show nonsense\"");
	char words[301];
	memset(words, 'x', 300);
	words[300] = '\0';
	expect_answer(g, words, 2, "too long");
	expect_answer(g, "", 2, "usage");
	char *text = ask(g, "-n no-such-guard-here show sessions", 1); /* the last -n counts */
	assert_non_null(strstr(text, "no guard named"));
	free(text);
}

static int connect_as(const struct guard *g, uid_t uid)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t len = strlen(g->name);
	memcpy(address.sun_path + 1, g->name, len);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_true(fd >= 0);
	assert_int_equal(seteuid(uid), 0);
	int rc = connect(
		fd, (struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + len));
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(rc, 0);
	return fd;
}

static ssize_t exchange(int fd, const char *request, char *answer, size_t size)
{
	size_t got = 0;
	struct pollfd in = {.fd = fd, .events = POLLIN};
	(void)!send(fd, request, strlen(request), MSG_NOSIGNAL);
	while (got < size && poll(&in, 1, WAIT_MS) == 1) {
		ssize_t n = recv(fd, answer + got, size - got, 0);
		if (n <= 0)
			return n < 0 && errno != ECONNRESET ? -1 : (ssize_t)got;
		got += (size_t)n;
	}
	return -1;
}

static void only_root_may_ask(void **state)
{
	struct guard *g = *state;
	char answer[256];
	int fd = connect_as(g, 65534);
	assert_int_equal(exchange(fd, "show sessions\n", answer, sizeof(answer)), 0);
	close(fd);
	fd = connect_as(g, 0);
	assert_true(exchange(fd, "show sessions\n", answer, sizeof(answer)) > 0);
	close(fd);
}

/* Nobody who does not read, or asks nothing, or without end, keeps the others waiting. */
static void stuck_clients(void **state)
{
	struct guard *g = *state;
	int fds[7];
	char noise[512];
	memset(noise, 'x', sizeof(noise));
	for (unsigned i = 0; i < 7; i++) {
		fds[i] = connect_as(g, 0);
		if (i % 3 == 1)
			assert_true(send(fds[i], "show counters\n", 14, 0) == 14);
		if (i % 3 == 2)
			assert_true(send(fds[i], noise, sizeof(noise), 0) == sizeof(noise));
	}
	expect_answer(g, "show sessions", 0, "0 sessions");
	dial(g, 7, "a.example", "b.example");
	expect_said(g, MSG_BYTES, SIDE_SERVER, "from='a.example'");
	for (unsigned i = 0; i < 7; i++)
		close(fds[i]);
}

static unsigned long status_number(const struct guard *g, const char *key)
{
	char path[64], text[4096] = "";
	snprintf(path, sizeof(path), "/proc/%d/status", g->pid);
	int fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	const char *at = strstr(text, key);
	assert_non_null(at);
	return strtoul(at + strlen(key), NULL, 16);
}

static void it_is_shut_in(void **state)
{
	struct guard *g = *state;
	assert_int_equal(status_number(g, "\nUid:\t"), strtoul("64104", NULL, 16));
	assert_int_equal(status_number(g, "\nCapEff:\t"), 0);
	assert_int_equal(status_number(g, "\nNoNewPrivs:\t"), 1);
#ifndef SANITIZE
	assert_int_equal(status_number(g, "\nSeccomp:\t"), 2);
#endif
}

static unsigned long cpu_ticks(const struct guard *g)
{
	char path[64], text[1024] = "";
	unsigned long user, system;
	snprintf(path, sizeof(path), "/proc/%d/stat", g->pid);
	int fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	const char *at = strrchr(text, ')');
	assert_non_null(at);
	assert_int_equal(sscanf(at, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system), 2);
	return user + system;
}

static void it_sleeps_when_idle(void **state)
{
	struct guard *g = *state;
	dial(g, 7, "a.example", "b.example");
	expect_said(g, MSG_BYTES, SIDE_SERVER, "from='a.example'");
	unsigned long before = cpu_ticks(g);
	usleep(1500000);
	assert_true(cpu_ticks(g) - before <= 3); /* of 150 */
}

static void a_broken_tls_is_reported(void **state)
{
	struct guard *g = *state;
	struct pollfd told = {.fd = g->supervisor, .events = POLLIN};
	uint8_t byte = 0;
	player_say(&g->tls, MSG_BYTES, SIDE_CLIENT, 99, "x", 1);
	assert_int_equal(poll(&told, 1, WAIT_MS), 1);
	assert_int_equal(recv(g->supervisor, &byte, 1, 0), 1);
	assert_int_equal(byte, SUPERVISOR_PEER_BROKEN);
	assert_int_equal(WEXITSTATUS(wait_for_end(g)), 1);
}

static void it_ends_with_its_sallyportd(void **state)
{
	struct guard *g = *state;
	dial(g, 7, "a.example", "b.example");
	expect_said(g, MSG_BYTES, SIDE_SERVER, "from='a.example'");
	shutdown(g->supervisor, SHUT_RDWR);
	assert_int_equal(wait_for_end(g), 0);
	expect_audit(g, "\"client_domain\":\"a.example\"");
	expect_audit(g, "\"what\":\"stopped\"");
}

static void it_ends_when_asked(void **state)
{
	struct guard *g = *state;
	kill(g->pid, SIGTERM);
	assert_int_equal(wait_for_end(g), 0);
	expect_audit(g, "\"what\":\"stopped\"");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_header_passes_and_is_seen),
		TEST(direct_tls_is_asked_named_and_seen),
		cmocka_unit_test(lanes_answer_together),
		TEST(it_answers_what_it_is_asked),
		TEST(only_root_may_ask),
		TEST(stuck_clients),
		TEST(it_is_shut_in),
		TEST(it_sleeps_when_idle),
		TEST(a_broken_tls_is_reported),
		TEST(it_ends_with_its_sallyportd),
		TEST(it_ends_when_asked),
	};
	if (geteuid() != 0) {
		fprintf(stderr, "needs root\n");
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
