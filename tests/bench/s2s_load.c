/*
 * Load for the guard: the two ends of XMPP federation as plainly as they can be written, a thread for each connection.
 *
 *     s2s_load sink    ADDRESS PORT DOMAIN PEER CERT KEY CA
 *     s2s_load send    ADDRESS PORT DOMAIN PEER CERT KEY CA CONNECTIONS SECONDS [STANZAS_PER_SECOND]
 *     s2s_load connect ADDRESS PORT DOMAIN PEER CERT KEY CA AT_A_TIME SECONDS
 *
 * Every connection is a stream with STARTTLS, certificates of both sides verified, and SASL EXTERNAL. `send` prints how
 * many stanzas the sink took and in how many seconds; `connect` how many connections came to that point and in how many.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { INPUT = 64 << 10, BATCH = 40, THREADS_MAX = 64 };

#define HEADER "<?xml version='1.0'?><stream:stream xmlns='jabber:server' " \
	"xmlns:stream='http://etherx.jabber.org/streams' version='1.0'"
#define SASL "urn:ietf:params:xml:ns:xmpp-sasl"
#define TLS "urn:ietf:params:xml:ns:xmpp-tls"
#define END "</stream:stream>"

struct load {
	struct sockaddr_storage address;
	const char *domain, *peer;
	SSL_CTX *tls;
	double seconds, rate;          /* rate: stanzas a second on one connection, 0: as many as go */
	atomic_ulong done;
};

struct end {
	struct load *load;
	int fd;
	SSL *ssl;
	size_t len;
	char input[INPUT + 1];
};

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* --- one end of a connection; a fault ends the program for the sender, the connection for the sink --- */

static bool end_write(struct end *e, const char *bytes, size_t n)
{
	if (e->ssl)
		return SSL_write(e->ssl, bytes, (int)n) == (int)n;
	return write(e->fd, bytes, n) == (ssize_t)n;
}

__attribute__((format(printf, 2, 3))) static bool end_say(struct end *e, const char *format, ...)
{
	char text[1024];
	va_list args;
	va_start(args, format);
	int n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return n > 0 && (size_t)n < sizeof(text) && end_write(e, text, (size_t)n);
}

/* Adds what has come to the input. */
static bool end_read(struct end *e)
{
	ssize_t n;
	if (e->len == INPUT)
		return false;
	if (e->ssl)
		n = SSL_read(e->ssl, e->input + e->len, (int)(INPUT - e->len));
	else
		n = read(e->fd, e->input + e->len, INPUT - e->len);
	if (n <= 0)
		return false;
	e->len += (size_t)n;
	e->input[e->len] = '\0';
	return true;
}

/* Reads up to and with `text`, and forgets it. */
static bool end_await(struct end *e, const char *text)
{
	char *found;
	while (!(found = strstr(e->input, text)))
		if (!end_read(e))
			return false;
	found += strlen(text);
	e->len -= (size_t)(found - e->input);
	memmove(e->input, found, e->len + 1);
	return true;
}

static bool end_secure(struct end *e, bool server)
{
	e->ssl = SSL_new(e->load->tls);
	return e->ssl && SSL_set_fd(e->ssl, e->fd) == 1 && (server ? SSL_accept(e->ssl) : SSL_connect(e->ssl)) == 1;
}

static void end_close(struct end *e)
{
	SSL_free(e->ssl);
	close(e->fd);
	free(e);
}

static struct end *end_new(struct load *load, int fd)
{
	struct end *e = calloc(1, sizeof(*e));
	if (!e)
		err(1, "calloc");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	e->load = load;
	e->fd = fd;
	return e;
}

/* --- the side that is dialled --- */

static bool answer_header(struct end *e, const char *features)
{
	return end_await(e, "<stream:stream") && end_await(e, ">") &&
		end_say(e, HEADER " id='s%p' from='%s' to='%s'><stream:features>%s</stream:features>", (void *)e,
			e->load->domain, e->load->peer, features);
}

static bool accept_stream(struct end *e)
{
	return answer_header(e, "<starttls xmlns='" TLS "'><required/></starttls>") && end_await(e, "<starttls") &&
		end_await(e, ">") && end_say(e, "<proceed xmlns='" TLS "'/>") && end_secure(e, true) &&
		answer_header(e, "<mechanisms xmlns='" SASL "'><mechanism>EXTERNAL</mechanism></mechanisms>") &&
		end_await(e, "<auth") && end_await(e, ">") && end_say(e, "<success xmlns='" SASL "'/>") &&
		answer_header(e, "");
}

/* Takes stanzas until the stream ends, and ends it too. */
static void *sink_connection(void *arg)
{
	struct end *e = arg;
	if (accept_stream(e)) {
		do {                   /* the end of the stream may be cut in two */
			size_t keep = e->len < strlen(END) ? e->len : strlen(END) - 1;
			if (strstr(e->input, END)) {
				end_say(e, END);
				break;
			}
			memmove(e->input, e->input + e->len - keep, keep + 1);
			e->len = keep;
		} while (end_read(e));
	}
	end_close(e);
	return NULL;
}

static void sink(struct load *load)
{
	int listener = socket(load->address.ss_family, SOCK_STREAM, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	if (bind(listener, (struct sockaddr *)&load->address, sizeof(load->address)) || listen(listener, 512))
		err(1, "listen");
	for (;;) {
		pthread_t thread;
		int fd = accept(listener, NULL, NULL);
		if (fd >= 0 && !pthread_create(&thread, NULL, sink_connection, end_new(load, fd)))
			pthread_detach(thread);
	}
}

/* --- the side that dials --- */

static bool open_header(struct end *e, const char *awaited)
{
	return end_say(e, HEADER " from='%s' to='%s'>", e->load->domain, e->load->peer) && end_await(e, awaited) &&
		end_await(e, "</stream:features>");
}

static struct end *dial(struct load *load)
{
	int fd = socket(load->address.ss_family, SOCK_STREAM, 0);
	if (connect(fd, (struct sockaddr *)&load->address, sizeof(load->address)))
		err(1, "connect");
	struct end *e = end_new(load, fd);
	bool open = open_header(e, "<starttls") && end_say(e, "<starttls xmlns='" TLS "'/>") && end_await(e, "<proceed") &&
		end_await(e, ">") && end_secure(e, false) && open_header(e, "EXTERNAL") &&
		end_say(e, "<auth xmlns='" SASL "' mechanism='EXTERNAL'>=</auth>") && end_await(e, "<success") &&
		end_await(e, ">") && end_say(e, HEADER " from='%s' to='%s'>", load->domain, load->peer) &&
		end_await(e, "<stream:stream") && end_await(e, "<stream:features") && end_await(e, ">");
	if (!open)
		errx(1, "the stream cannot be opened; last seen: %s", e->input);
	return e;
}

static size_t stanza(const struct load *load, unsigned long number, char *out, size_t room)
{
	return (size_t)snprintf(out, room,
		"<message from='juliet@%s/balcony' to='romeo@%s/orchard' type='chat' id='m%lu' xml:lang='en'><body>My ears "
		"have not yet drunk a hundred words of that tongue's utterance, yet I know the sound; art thou not one of "
		"that house, and come over the wall?</body><active xmlns='http://jabber.org/protocol/chatstates'/>"
		"<request xmlns='urn:xmpp:receipts'/></message>", load->domain, load->peer, number);
}

static void *send_stanzas(void *arg)
{
	struct load *load = arg;
	struct end *e = dial(load);
	double start = now(), elapsed;
	unsigned long sent = 0;
	char batch[BATCH * 512];
	while ((elapsed = now() - start) < load->seconds) {
		size_t len = 0;
		unsigned due = load->rate ? (unsigned)(elapsed * load->rate) : (unsigned)sent + BATCH;
		for (; sent < due && len + 512 <= sizeof(batch); sent++)
			len += stanza(load, sent, batch + len, sizeof(batch) - len);
		if (len && !end_write(e, batch, len))
			errx(1, "the connection was lost");
		if (load->rate)
			usleep(1000);
	}
	if (!end_say(e, END) || !end_await(e, END))
		errx(1, "the end of the stream was not answered");
	atomic_fetch_add(&load->done, sent);
	end_close(e);
	return NULL;
}

static void *open_and_close(void *arg)
{
	struct load *load = arg;
	for (double start = now(); now() - start < load->seconds; atomic_fetch_add(&load->done, 1)) {
		struct end *e = dial(load);
		end_say(e, END);
		end_await(e, END);
		end_close(e);
	}
	return NULL;
}

static void run_threads(struct load *load, unsigned count, void *(*work)(void *))
{
	pthread_t threads[THREADS_MAX];
	double start = now();
	if (count > THREADS_MAX)
		errx(1, "at most %d at a time", THREADS_MAX);
	for (unsigned i = 0; i < count; i++)
		if (pthread_create(&threads[i], NULL, work, load))
			errx(1, "pthread_create");
	for (unsigned i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	printf("%lu %.3f\n", load->done, now() - start);
}

/* --- */

static SSL_CTX *tls_new(char **files)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_method());
	if (!tls || SSL_CTX_use_certificate_chain_file(tls, files[0]) != 1 ||
		SSL_CTX_use_PrivateKey_file(tls, files[1], SSL_FILETYPE_PEM) != 1 ||
		SSL_CTX_load_verify_locations(tls, files[2], NULL) != 1)
		errx(1, "certificate, key or CA cannot be read");
	SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_num_tickets(tls, 0);
	SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
	return tls;
}

static void set_address(struct load *load, const char *host, const char *port)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&load->address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&load->address;
	uint16_t number = htons((uint16_t)strtoul(port, NULL, 10));
	if (inet_pton(AF_INET, host, &v4->sin_addr) == 1)
		v4->sin_family = AF_INET, v4->sin_port = number;
	else if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1)
		v6->sin6_family = AF_INET6, v6->sin6_port = number;
	else
		errx(1, "%s is no address", host);
}

int main(int argc, char **argv)
{
	struct load load = {0};
	if (argc < 9 || (argc < 11 && strcmp(argv[1], "sink")))
		errx(2, "see the head of s2s_load.c");
	signal(SIGPIPE, SIG_IGN);
	set_address(&load, argv[2], argv[3]);
	load.domain = argv[4];
	load.peer = argv[5];
	load.tls = tls_new(argv + 6);
	if (!strcmp(argv[1], "sink"))
		sink(&load);
	unsigned count = (unsigned)strtoul(argv[9], NULL, 10);
	load.seconds = strtod(argv[10], NULL);
	load.rate = argc > 11 ? strtod(argv[11], NULL) / count : 0;
	run_threads(&load, count, strcmp(argv[1], "send") ? open_and_close : send_stanzas);
	return 0;
}
