/*
 * sallyport-tls: ends TLS on both sides of each guarded connection. It reads hostile bytes (OpenSSL does), so it has no
 * key, no network and no file: two channels and a socket to keyd are all it can reach.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <openssl/rand.h>

#include "dataplane/base/log.h"
#include "dataplane/base/proc.h"
#include "dataplane/base/sandbox.h"
#include "pins.h"
#include "public_keys.h"
#include "relay.h"

enum {
	SPIN_ROUNDS = 8,               /* empty rounds before sleeping: shorter than a wake-up from another core */
	BUSY_ROUNDS = 4096,            /* without sleeping, before sallyportd is listened to all the same */
	CRLS_WAIT_MS = 5000,
};

#define TLS_COUNTER_NAME(id, name) [id] = name,
static const char *const counter_names[] = {TLS_COUNTERS(TLS_COUNTER_NAME)};

/* Nothing beyond what every process needs. */
static const int syscalls[] = {-1};

static uint64_t monotonic_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static struct channel *attach(int first_fd, enum channel_end end)
{
	struct channel *channel =
		channel_attach((struct channel_fds){first_fd, first_fd + 1, first_fd + 2}, end);
	if (!channel)
		fatal("channel");
	return channel;
}

/* OpenSSL seeds itself and loads what it needs at the first use: that must be over before the door shuts. */
static void warm_up(struct relay *relay)
{
	unsigned char byte;
	uint8_t sha256[32];
	if (RAND_bytes(&byte, 1) != 1)
		fatalx("no randomness");
	for (unsigned wire = 0; wire < WIRES; wire++) {
		SSL *ssl[] = {SSL_new(relay->trust[wire].accept), SSL_new(relay->trust[wire].dial)};
		if (!ssl[0] || !ssl[1])
			fatalx("out of memory");
		SSL_free(ssl[0]);
		SSL_free(ssl[1]);
		fingerprint(relay->trust[wire].guard_ca, sha256);
		key_fingerprint(relay->trust[wire].guard_ca, sha256);
	}
}

/* --- CRLs --- */

/* -EINVAL: they are refused. */
static int take_crls(struct relay *relay, int message, int bundle)
{
	enum wire wire = (enum wire)(message & 1);
	unsigned version = (unsigned)message >> 1;
	int rc = relay_take_crls(relay, wire, bundle);
	close(bundle);
	if (proc_tell(supervisor_crls(rc ? SUPERVISOR_CRLS_REFUSED : SUPERVISOR_CRLS_TAKEN, wire, version)))
		fatalx("sallyportd is gone");
	return rc;
}

/* A policy that cannot be taken is there when this process is started anew. */
static void take_policy(struct conf *conf, int image)
{
	struct conf *fresh = conf_unseal(image);
	close(image);
	if (!fresh)
		fatal("policy");
	conf_take_policy(conf, fresh);
}

/* Nobody is judged before they are here. */
static void await_crls(struct relay *relay, struct conf *conf)
{
	for (unsigned wire = 0; wire < WIRES; wire++) {
		const struct conf_wire *own = &conf->wire[wire];
		while (*own->crls && own->crl_check != CRL_CHECK_NONE && !relay->trust[wire].generation) {
			struct pollfd supervisor = {.fd = PROC_FD_SUPERVISOR, .events = POLLIN};
			struct channel_fds fds;
			if (poll(&supervisor, 1, CRLS_WAIT_MS) != 1)
				fatalx("no CRLs came");
			int message = proc_hear(&fds);
			if (message == SUPERVISOR_POLICY)
				take_policy(conf, fds.memory);
			if (message < 0 || (supervisor_told_crls(message) && take_crls(relay, message, fds.memory)))
				fatalx("no CRLs wire=%s path=%s", wire == WIRE_INSIDE ? "inside" : "outside", own->crls);
		}
	}
}

/* --- the process --- */

static const struct conf *open_everything(struct relay *relay)
{
	struct conf *conf = relay->conf = conf_load_inherited();
	relay->counters = counters_open(PROC_FD_COUNTERS, counter_names, TLS_COUNTERS_END);
	if (!relay->counters)
		fatal("counters");
	relay->lower = attach(TLS_FD_LOWER, CHANNEL_UPPER);
	relay->upper = attach(TLS_FD_UPPER, CHANNEL_LOWER);
	if (public_keys_init())
		fatalx("out of memory");
	for (unsigned wire = 0; wire < WIRES; wire++)
		if (trust_init(&relay->trust[wire], conf, wire))
			fatalx("no trust wire=%s", wire == WIRE_INSIDE ? "inside" : "outside");
	if (relay_init(relay, TLS_FD_KEYD))
		fatalx("out of memory");
	await_crls(relay, conf);
	warm_up(relay);
	return conf;
}

static void enter_sandbox(const struct conf *conf)
{
	const struct sandbox sandbox = {.uid = conf->uid[PROC_TLS], .gid = conf->gid[PROC_TLS],
		.memory_max_bytes = 8ull << 30, .files_max = 64, .syscalls = syscalls};
	if (sandbox_enter(&sandbox))
		fatalx("sandbox cannot be entered");
}

enum { AT_SUPERVISOR, AT_LOWER, AT_UPPER, AT_KEYD, AT_END };

/* True: sallyportd has said something. */
static bool sleep_until_needed(struct relay *relay)
{
	struct pollfd fds[AT_END] = {
		[AT_SUPERVISOR] = {.fd = PROC_FD_SUPERVISOR, .events = POLLIN},
		[AT_LOWER] = {.fd = channel_wake_fd(relay->lower), .events = POLLIN},
		[AT_UPPER] = {.fd = channel_wake_fd(relay->upper), .events = POLLIN},
		[AT_KEYD] = {.fd = keys_fd(relay->keys), .events = POLLIN | (keys_want_write(relay->keys) ? POLLOUT : 0)},
	};
	bool lower = channel_sleep(relay->lower), upper = channel_sleep(relay->upper);
	if (lower && upper && poll(fds, AT_END, relay_timeout_ms(relay)) < 0 && errno != EINTR)
		fatal("poll");
	if (fds[AT_KEYD].revents && keys_run(relay->keys))
		fatalx("keyd is gone");
	channel_awake(relay->lower);
	channel_awake(relay->upper);
	return fds[AT_SUPERVISOR].revents;
}

static void hear_supervisor(struct relay *relay)
{
	struct channel_fds fds;
	for (int message; (message = proc_hear(&fds));) {
		if (message < 0)
			exit(0);
		if (message == SUPERVISOR_POLICY)
			take_policy(relay->conf, fds.memory);
		else if (supervisor_told_crls(message) && take_crls(relay, message, fds.memory))
			continue; /* the old ones stay, and everybody was told */
	}
}

static _Noreturn void relay_for_ever(struct relay *relay)
{
	for (unsigned idle = 0, busy = 0;;) {
		relay->now_ms = monotonic_ms();
		int n = relay_run(relay);
		if (n < 0) {
			if (proc_tell(SUPERVISOR_PEER_BROKEN))
				log_warnx("sallyportd cannot be told");
			fatalx("a channel or keyd broke its contract");
		}
		idle = n ? 0 : idle + 1;
		busy++;
		if (idle < SPIN_ROUNDS && busy < BUSY_ROUNDS)
			continue;
		if (idle == SPIN_ROUNDS && !sleep_until_needed(relay) && busy < BUSY_ROUNDS) {
			idle = 0;
			continue;
		}
		hear_supervisor(relay);
		idle = busy = 0;
	}
}

int main(void)
{
	proc_init(PROC_TLS);
	struct relay *relay = calloc(1, sizeof(*relay));
	if (!relay)
		fatalx("out of memory");
	enter_sandbox(open_everything(relay));
	if (proc_tell(SUPERVISOR_READY))
		fatalx("sallyportd is gone");
	relay_for_ever(relay);
}
