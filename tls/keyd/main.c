/*
 * sallyport-keyd: holds every private key and parses nothing but fixed-size requests. It answers tls and nobody else.
 */
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplane/base/log.h"
#include "dataplane/base/proc.h"
#include "dataplane/base/sandbox.h"
#include "serve.h"

#define KEYD_COUNTER_NAME(id, name) [id] = name,
static const char *const counter_names[] = {KEYD_COUNTERS(KEYD_COUNTER_NAME)};

/* Nothing beyond what every process needs. */
static const int syscalls[] = {-1};

static void open_everything(struct keyd *keyd)
{
	keyd->conf = conf_load_inherited();
	keyd->counters = counters_open(PROC_FD_COUNTERS, counter_names, KEYD_COUNTERS_END);
	if (!keyd->counters)
		fatal("counters");
	for (unsigned wire = 0; wire < WIRES; wire++)
		if (mint_init(&keyd->mint[wire], &keyd->conf->wire[wire]))
			fatalx("no guard CA wire=%s", wire == WIRE_INSIDE ? "inside" : "outside");
	/* Whatever OpenSSL opens at its first use must be open before the door shuts. */
	for (unsigned wire = 0; wire < WIRES; wire++) {
		X509 *first = mint_certificate(&keyd->mint[wire], "first.invalid");
		if (!first)
			fatalx("guard CA cannot sign wire=%s", wire == WIRE_INSIDE ? "inside" : "outside");
		X509_free(first);
	}
}

static void enter_sandbox(const struct conf *conf)
{
	const struct sandbox sandbox = {.uid = conf->uid[PROC_KEYD], .gid = conf->gid[PROC_KEYD],
		.memory_max_bytes = 256 << 20, .files_max = 32, .syscalls = syscalls};
	if (sandbox_enter(&sandbox))
		fatalx("sandbox cannot be entered");
}

static void answer_one(struct keyd *keyd)
{
	uint8_t request[sizeof(struct keyd_request) + 1];
	struct keyd_answer answer;
	ssize_t n = recv(KEYD_FD_TLS, request, sizeof(request), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		fatalx("tls is gone");
	if (keyd_serve(keyd, request, (size_t)n, &answer)) {
		if (proc_tell(SUPERVISOR_PEER_BROKEN))
			log_warnx("sallyportd cannot be told");
		fatalx("ill-formed request from tls bytes=%zd", n);
	}
	size_t len = offsetof(struct keyd_answer, bytes) + answer.len;
	if (send(KEYD_FD_TLS, &answer, len, MSG_NOSIGNAL) != (ssize_t)len)
		fatal("answer to tls");
}

static void serve_for_ever(struct keyd *keyd)
{
	struct pollfd fds[] = {{.fd = KEYD_FD_TLS, .events = POLLIN}, {.fd = PROC_FD_SUPERVISOR, .events = POLLIN}};
	struct channel_fds none;
	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			fatal("poll");
		if (fds[1].revents && proc_hear(&none) < 0)
			return;
		if (fds[0].revents)
			answer_one(keyd);
	}
}

int main(void)
{
	static struct keyd keyd;
	proc_init(PROC_KEYD);
	open_everything(&keyd);
	enter_sandbox(keyd.conf);
	if (proc_tell(SUPERVISOR_READY))
		fatalx("sallyportd is gone");
	serve_for_ever(&keyd);
	return 0;
}
