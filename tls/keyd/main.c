/*
 * sallyport-keyd: holds every private key and parses nothing but fixed-size requests. It answers tls and nobody else.
 */
#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "dataplane/base/log.h"
#include "dataplane/base/proc.h"
#include "dataplane/base/sandbox.h"
#include "slow.h"

#define KEYD_COUNTER_NAME(id, name) [id] = name,
static const char *const counter_names[] = {KEYD_COUNTERS(KEYD_COUNTER_NAME)};

/* Nothing beyond what every process needs; */
static const int syscalls[] = {-1};
/* but the module of a token opens its files whenever it is asked. It still has no network, no other user's files, and what
 * tls asks it cannot make it open any. */
static const int token_syscalls[] = {SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(access), SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(statx), SCMP_SYS(readlink), SCMP_SYS(readlinkat),
	SCMP_SYS(getcwd), SCMP_SYS(getdents64), SCMP_SYS(connect), -1};

static struct keyd keyd;               /* for both threads */
static struct slow slow;

/* Whatever OpenSSL and tokens open at their first use must be open before the door shuts. */
static void try_keys(void)
{
	for (unsigned wire = 0; wire < WIRES; wire++) {
		X509 *first = mint_certificate(&keyd.mint[wire], KEYD_LEAF_ECDSA, "first.invalid");
		if (!first)
			fatalx("guard CA cannot sign wire=%s", wire == WIRE_INSIDE ? "inside" : "outside");
		X509_free(first);
	}
	for (unsigned i = 0; i < keyd.real_count; i++)
		if (!real_signs(&keyd.real[i]))
			fatalx("[certificate %s]: key: cannot sign", keyd.real[i].conf->domain);
}

/* tls never blocks on this socket; keyd may. */
static void answer_tls(const struct keyd_answer *answer)
{
	size_t len = offsetof(struct keyd_answer, bytes) + answer->len;
	for (;;) {
		ssize_t n = send(KEYD_FD_TLS, answer, len, MSG_NOSIGNAL);
		if (n == (ssize_t)len)
			return;
		struct pollfd room = {.fd = KEYD_FD_TLS, .events = POLLOUT};
		if (n >= 0 || (errno != EAGAIN && errno != EINTR) || (poll(&room, 1, -1) < 0 && errno != EINTR))
			fatal("answer to tls");
	}
}

/* glibc would give each thread address space of its own to allocate from. */
static void open_everything(void)
{
	mallopt(M_ARENA_MAX, 1);
	/* No one is to pull OpenSSL from under the other thread when this one exits. */
	OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
	struct counters *counters = counters_open(PROC_FD_COUNTERS, counter_names, KEYD_COUNTERS_END);
	if (!counters)
		fatal("counters");
	if (keyd_init(&keyd, conf_load_inherited(), counters))
		fatalx("keys cannot be used");
	try_keys();
	int rc = slow_start(&slow, &keyd, answer_tls);
	if (rc)
		fatalx("no second thread error=%d", -rc);
}

static bool has_token(const struct conf *conf)
{
	bool found = conf_is_token(conf->wire[WIRE_INSIDE].ca_key) || conf_is_token(conf->wire[WIRE_OUTSIDE].ca_key);
	for (unsigned i = 0; !found && i < conf->certificate_count; i++)
		found = conf_is_token(conf->certificates[i].key);
	return found;
}

static void enter_sandbox(const struct conf *conf)
{
	bool token = has_token(conf);
	const struct sandbox sandbox = {.uid = conf->uid[PROC_KEYD], .gid = conf->gid[PROC_KEYD],
		.memory_max_bytes = 256 << 20, .files_max = token ? 128 : 32, .keep_files = token,
		.syscalls = token ? token_syscalls : syscalls};
	if (sandbox_enter(&sandbox))
		fatalx("sandbox cannot be entered");
}

static void answer_one(void)
{
	struct {
		struct keyd_request request;
		uint8_t more;
	} packet;
	struct keyd_answer answer;
	ssize_t n = recv(KEYD_FD_TLS, &packet, sizeof(packet.request) + 1, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		fatalx("tls is gone");
	if (keyd_is_slow(&keyd, &packet, (size_t)n)) {
		if (slow_add(&slow, &packet.request))
			return;
		keyd_refuse(&keyd, &packet, &answer);
	} else if (keyd_serve(&keyd, &packet, (size_t)n, &answer)) {
		if (proc_tell(SUPERVISOR_PEER_BROKEN))
			log_warnx("sallyportd cannot be told");
		fatalx("ill-formed request from tls bytes=%zd", n);
	}
	answer_tls(&answer);
}

/* False: it is gone. */
static bool hear_supervisor(void)
{
	struct channel_fds fds;
	int heard = proc_hear(&fds);
	if (heard != SUPERVISOR_POLICY)
		return heard >= 0;
	struct conf *fresh = conf_unseal(fds.memory);
	close(fds.memory);
	if (!fresh)
		fatal("policy"); /* it is there when this process is started anew */
	keyd_take_policy(&keyd, fresh);
	return true;
}

static void serve_for_ever(void)
{
	struct pollfd fds[] = {{.fd = KEYD_FD_TLS, .events = POLLIN}, {.fd = PROC_FD_SUPERVISOR, .events = POLLIN}};
	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			fatal("poll");
		if (fds[1].revents && !hear_supervisor())
			return;
		if (fds[0].revents)
			answer_one();
	}
}

int main(void)
{
	proc_init(PROC_KEYD);
	open_everything();
	enter_sandbox(keyd.conf);
	if (proc_tell(SUPERVISOR_READY))
		fatalx("sallyportd is gone");
	serve_for_ever();
	return 0;
}
