/*
 * Stands in for everything above the dataplane: starts it, attaches to its channel, and hands the bytes of each side of a
 * connection to the other. With it the dataplane is tested alone, with traffic of any kind on a guarded port.
 *
 *     echo_upper DATAPLANE CONFIGURATION
 *
 * Says "ready" when guarded connections pass. Takes lines: attach, detach, drop (let the channel go without a word),
 * counters, quit. Answers each with lines, the last of which is ".".
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dataplane/base/buf.h"
#include "dataplane/base/channel.h"
#include "dataplane/base/conf.h"
#include "dataplane/base/counters.h"
#include "dataplane/base/log.h"
#include "dataplane/base/proc.h"

enum { BUDGET = 256, INHERITED_AT = 100 };

/* What one endpoint has sent and the other one has not been sent yet. */
struct stream {
	struct buf bytes;
	uint32_t credit;               /* that we may still send down, to the other endpoint */
	enum { FLOWING, ENDING, ENDED, UNHEARD } state;        /* UNHEARD: who should hear it was reset */
};

struct relay {
	LIST_ENTRY(relay) entry;
	uint64_t id;
	struct stream from[SIDES];
};

struct upper {
	pid_t dataplane;
	int supervisor;
	const struct counters *counters;
	struct channel *channel;
	LIST_HEAD(, relay) relays;
};

static void say(struct upper *u, enum msg_type type, enum conn_side side, uint64_t id, const void *payload, uint32_t n)
{
	if (channel_send(u->channel, type, side, id, payload, n))
		fatalx("channel broken");
}

/* Moves on what `from` has sent, as far as credit allows; then its end. */
static void pump(struct upper *u, struct relay *r, enum conn_side from)
{
	struct stream *s = &r->from[from];
	while (buf_len(&s->bytes) && s->credit) {
		uint32_t n = buf_len(&s->bytes) < s->credit ? (uint32_t)buf_len(&s->bytes) : s->credit;
		n = n < CHANNEL_PAYLOAD_MAX ? n : CHANNEL_PAYLOAD_MAX;
		struct msg_credit credit = {n};
		say(u, MSG_BYTES, side_other(from), r->id, buf_head(&s->bytes), n);
		say(u, MSG_CREDIT, from, r->id, &credit, sizeof(credit));
		buf_drop(&s->bytes, n);
		s->credit -= n;
	}
	if (s->state == ENDING && !buf_len(&s->bytes)) {
		say(u, MSG_END_OF_STREAM, side_other(from), r->id, NULL, 0);
		s->state = ENDED;
	}
}

static void relay_free(struct relay *r)
{
	LIST_REMOVE(r, entry);
	for (unsigned side = 0; side < SIDES; side++)
		buf_fini(&r->from[side].bytes);
	free(r);
}

static int on_opened(void *owner, void *conn, const struct channel_msg *msg, const uint8_t *payload)
{
	(void)conn;
	(void)payload;
	struct upper *u = owner;
	struct relay *r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->id = msg->conn;
	for (unsigned side = 0; side < SIDES; side++) {
		buf_init(&r->from[side].bytes, CHANNEL_WINDOW);
		r->from[side].credit = CHANNEL_WINDOW;
	}
	LIST_INSERT_HEAD(&u->relays, r, entry);
	return 0;
}

static int on_bytes(void *owner, void *conn, const struct channel_msg *msg, const uint8_t *payload)
{
	struct relay *r = conn;
	if (r->from[msg->side].state == UNHEARD)
		return 0;
	if (r->from[msg->side].state != FLOWING || buf_put(&r->from[msg->side].bytes, payload, msg->length))
		return -EPROTO;
	pump(owner, r, msg->side);
	return 0;
}

static int on_end_of_stream(void *owner, void *conn, const struct channel_msg *msg, const uint8_t *payload)
{
	(void)payload;
	struct relay *r = conn;
	if (r->from[msg->side].state == UNHEARD)
		return 0;
	if (r->from[msg->side].state != FLOWING)
		return -EPROTO;
	r->from[msg->side].state = ENDING;
	pump(owner, r, msg->side);
	return 0;
}

static int on_reset(void *owner, void *conn, const struct channel_msg *msg, const uint8_t *payload)
{
	(void)payload;
	struct relay *r = conn;
	struct stream *to_it = &r->from[side_other(msg->side)];
	to_it->state = UNHEARD;
	buf_drop(&to_it->bytes, buf_len(&to_it->bytes));
	say(owner, MSG_RESET, side_other(msg->side), r->id, NULL, 0);
	return 0;
}

static int on_credit(void *owner, void *conn, const struct channel_msg *msg, const uint8_t *payload)
{
	struct relay *r = conn;
	struct msg_credit credit;
	memcpy(&credit, payload, sizeof(credit));
	struct stream *s = &r->from[side_other(msg->side)];
	if (credit.bytes > CHANNEL_WINDOW - s->credit)
		return -EPROTO;
	s->credit += credit.bytes;
	if (s->state == FLOWING || s->state == ENDING)
		pump(owner, r, side_other(msg->side));
	return 0;
}

static int on_closed(void *owner, void *conn, const struct channel_msg *msg, const uint8_t *payload)
{
	(void)owner;
	(void)msg;
	(void)payload;
	relay_free(conn);
	return 0;
}

/* For people, who are not here. */
static int on_notice(void *owner, void *conn, const struct channel_msg *msg, const uint8_t *payload)
{
	(void)owner;
	(void)conn;
	(void)msg;
	(void)payload;
	return 0;
}

enum { UNKNOWN = 1 << 0, KNOWN = 1 << 1 };

static const struct channel_verb verbs[MSG_TYPES] = {
	[MSG_OPENED] = {sizeof(struct msg_opened), sizeof(struct msg_opened), UNKNOWN, on_opened},
	[MSG_BYTES] = {1, CHANNEL_PAYLOAD_MAX, KNOWN, on_bytes},
	[MSG_END_OF_STREAM] = {0, 0, KNOWN, on_end_of_stream},
	[MSG_RESET] = {0, 0, KNOWN, on_reset},
	[MSG_CREDIT] = {sizeof(struct msg_credit), sizeof(struct msg_credit), KNOWN, on_credit},
	[MSG_CLOSED] = {0, 0, KNOWN, on_closed},
	[MSG_NOTICE] = {sizeof(struct msg_notice), sizeof(struct msg_notice), UNKNOWN, on_notice},
};

static unsigned find(void *owner, uint64_t id, void **object)
{
	struct upper *u = owner;
	struct relay *r;
	LIST_FOREACH(r, &u->relays, entry)
	{
		*object = r;
		if (r->id == id)
			return 1;
	}
	return 0;
}

/* --- starting, attaching, letting go --- */

static int read_configuration(const char *path)
{
	struct conf *conf = conf_load(path, path, stderr);
	int image = conf ? conf_seal(conf) : -1;
	if (image < 0)
		fatalx("configuration path=%s", path);
	conf_free(conf);
	return image;
}

static void start(struct upper *u, const char *program, const char *configuration)
{
	int pair[2], conf = read_configuration(configuration), counters = counters_create();
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) || counters < 0)
		fatal("socketpair or counters");
	u->supervisor = pair[0];
	u->counters = counters_read(counters);
	u->dataplane = fork();
	if (u->dataplane == 0) {
		/* Out of the way first: the numbers may be taken by one another. */
		int high[3] = {fcntl(pair[1], F_DUPFD, INHERITED_AT), fcntl(conf, F_DUPFD, INHERITED_AT),
			fcntl(counters, F_DUPFD, INHERITED_AT)};
		for (int i = 0; i < 3; i++)
			dup2(high[i], PROC_FD_SUPERVISOR + i);
		setenv(CONF_NAME_VARIABLE, configuration, 1);
		execl(program, program, (char *)NULL);
		_exit(127);
	}
	close(pair[1]);
	close(conf);
	close(counters);
	char byte;
	if (u->dataplane < 0 || recv(u->supervisor, &byte, 1, 0) != 1 || byte != SUPERVISOR_READY)
		fatalx("dataplane did not start");
}

static void tell(struct upper *u, enum supervisor_msg type, const struct channel_fds *fds)
{
	uint8_t byte = (uint8_t)type;
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(3 * sizeof(int))];
	} control = {0};
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	if (fds) {
		int list[3] = {fds->memory, fds->wake_upper, fds->wake_lower};
		msg.msg_control = control.bytes;
		msg.msg_controllen = sizeof(control.bytes);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(list));
		memcpy(CMSG_DATA(&control.header), list, sizeof(list));
	}
	if (sendmsg(u->supervisor, &msg, 0) != 1)
		fatal("sallyport-dataplane is gone");
}

static void let_go(struct upper *u)
{
	for (struct relay *r; (r = LIST_FIRST(&u->relays));)
		relay_free(r);
	channel_free(u->channel);
	u->channel = NULL;
}

static void attach(struct upper *u)
{
	struct channel_fds fds;
	if (channel_create(&fds))
		fatalx("channel");
	tell(u, SUPERVISOR_ATTACH, &fds);
	u->channel = channel_attach(fds, CHANNEL_UPPER);
	if (!u->channel)
		fatal("channel_attach");
}

static void show_counters(const struct upper *u)
{
	for (unsigned i = 0; i < COUNTERS_MAX && u->counters->table[i].name[0]; i++)
		printf("%s %llu\n", u->counters->table[i].name, (unsigned long long)u->counters->table[i].value);
}

static void obey(struct upper *u, const char *line)
{
	if (!strcmp(line, "attach\n") && !u->channel) {
		attach(u);
	} else if (!strcmp(line, "detach\n")) {
		tell(u, SUPERVISOR_DETACH, NULL);
		let_go(u);
	} else if (!strcmp(line, "drop\n")) {
		let_go(u);
	} else if (!strcmp(line, "counters\n")) {
		show_counters(u);
	} else {
		printf("unknown\n");
	}
	printf(".\n");
}

static void quit(struct upper *u)
{
	int status;
	close(u->supervisor);
	waitpid(u->dataplane, &status, 0);
	if (WIFSIGNALED(status))
		log_warnx("dataplane killed signal=%d", WTERMSIG(status));
	exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

static void listen_to_person(struct upper *u)
{
	char line[64];
	if (!fgets(line, sizeof(line), stdin) || !strcmp(line, "quit\n"))
		quit(u);
	obey(u, line);
}

static void listen_to_dataplane(struct upper *u)
{
	char byte;
	ssize_t n = recv(u->supervisor, &byte, 1, MSG_DONTWAIT);
	if (n == 1 && byte == SUPERVISOR_PEER_BROKEN)
		fatalx("dataplane says that we broke the contract");
	if (n == 0)
		quit(u);
}

static void serve_channel(struct upper *u)
{
	const struct channel_receiver receiver = {verbs, find, u};
	int n;
	do {
		n = channel_dispatch(u->channel, &receiver, BUDGET);
		if (n < 0)
			fatalx("dataplane broke the contract");
		channel_flush(u->channel);
	} while (n || !channel_sleep(u->channel));
}

static void serve(struct upper *u)
{
	struct pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = u->supervisor, .events = POLLIN}, {.fd = -1}};
	if (u->channel) {
		serve_channel(u);
		fds[2] = (struct pollfd){.fd = channel_wake_fd(u->channel), .events = POLLIN};
	}
	if (poll(fds, 3, -1) < 0 && errno != EINTR)
		fatal("poll");
	if (u->channel)
		channel_awake(u->channel);
	if (fds[1].revents)
		listen_to_dataplane(u);
	if (fds[0].revents)
		listen_to_person(u);
}

int main(int argc, char **argv)
{
	struct upper upper = {0};
	log_init("echo-upper");
	if (argc != 3)
		fatalx("usage: echo_upper DATAPLANE CONFIGURATION");
	setvbuf(stdin, NULL, _IONBF, 0);
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	LIST_INIT(&upper.relays);
	start(&upper, argv[1], argv[2]);
	attach(&upper);
	printf("ready\n");
	for (;;)
		serve(&upper);
}
