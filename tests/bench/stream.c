#include "tests/bench/stream.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { THREAD_STACK_BYTES = 128 << 10, LISTEN_BACKLOG = 512, TEXT_BYTES = 1024 };

#define HEADER "<?xml version='1.0'?><stream:stream xmlns='jabber:server' " \
	"xmlns:stream='http://etherx.jabber.org/streams' version='1.0'"
#define SASL "urn:ietf:params:xml:ns:xmpp-sasl"
#define TLS "urn:ietf:params:xml:ns:xmpp-tls"
#define BIDI "urn:xmpp:bidi"
#define BIDI_FEATURE "urn:xmpp:features:bidi"

static const unsigned char ALPN[] = "\013xmpp-server";

double seconds_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

bool end_write(struct end *e, const char *bytes, size_t n)
{
	if (e->ssl)
		return SSL_write(e->ssl, bytes, (int)n) == (int)n;
	return write(e->fd, bytes, n) == (ssize_t)n;
}

bool end_say(struct end *e, const char *format, ...)
{
	char text[TEXT_BYTES];
	va_list args;
	va_start(args, format);
	int n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return n > 0 && (size_t)n < sizeof(text) && end_write(e, text, (size_t)n);
}

bool end_read(struct end *e)
{
	ssize_t n;
	if (e->len == STREAM_INPUT_BYTES)
		return false;
	if (e->ssl)
		n = SSL_read(e->ssl, e->input + e->len, (int)(STREAM_INPUT_BYTES - e->len));
	else
		n = read(e->fd, e->input + e->len, STREAM_INPUT_BYTES - e->len);
	if (n <= 0)
		return false;
	e->len += (size_t)n;
	e->input[e->len] = '\0';
	return true;
}

void end_take(struct end *e, size_t n)
{
	e->len -= n;
	memmove(e->input, e->input + n, e->len + 1);
}

bool end_await(struct end *e, const char *text)
{
	char *found;
	while (!(found = strstr(e->input, text)))
		if (!end_read(e))
			return false;
	end_take(e, (size_t)(found - e->input) + strlen(text));
	return true;
}

static bool end_secure(struct end *e, bool server)
{
	e->ssl = SSL_new(e->party->tls);
	if (!e->ssl || SSL_set_fd(e->ssl, e->fd) != 1)
		return false;
	if (server)
		return SSL_accept(e->ssl) == 1;
	/* XEP-0368 wants both names; with STARTTLS there is no ALPN. */
	return SSL_set_tlsext_host_name(e->ssl, e->party->peer) == 1 &&
		(!e->party->direct || SSL_set_alpn_protos(e->ssl, ALPN, sizeof(ALPN) - 1) == 0) && SSL_connect(e->ssl) == 1;
}

void end_close(struct end *e)
{
	SSL_free(e->ssl);
	close(e->fd);
	free(e);
}

static struct end *end_new(const struct party *party, int fd)
{
	struct end *e = calloc(1, sizeof(*e));
	if (!e)
		err(1, "calloc");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	e->party = party;
	e->fd = fd;
	return e;
}

/* --- the side that is dialled --- */

static bool answer_header(struct end *e, const char *features)
{
	return end_await(e, "<stream:stream") && end_await(e, ">") &&
		end_say(e, HEADER " id='s%p' from='%s' to='%s'><stream:features>%s</stream:features>", (void *)e,
			e->party->domain, e->party->peer, features);
}

/* A first byte that begins a TLS record is no XML. */
static bool is_direct(const struct end *e)
{
	unsigned char first = 0;
	return recv(e->fd, &first, 1, MSG_PEEK) == 1 && first == 0x16;
}

static bool answer_starttls(struct end *e)
{
	return answer_header(e, "<starttls xmlns='" TLS "'><required/></starttls>") && end_await(e, "<starttls") &&
		end_await(e, ">") && end_say(e, "<proceed xmlns='" TLS "'/>");
}

bool end_accept(struct end *e)
{
	static const char *const features[] = {"<mechanisms xmlns='" SASL "'><mechanism>EXTERNAL</mechanism></mechanisms>",
		"<bidi xmlns='" BIDI_FEATURE "'/><mechanisms xmlns='" SASL "'><mechanism>EXTERNAL</mechanism></mechanisms>"};
	return (is_direct(e) || answer_starttls(e)) && end_secure(e, true) &&
		answer_header(e, features[e->party->both_ways]) &&
		end_await(e, "<auth") && end_await(e, ">") && end_say(e, "<success xmlns='" SASL "'/>") &&
		answer_header(e, "");
}

void party_serve(const struct party *party, void *(*work)(void *end))
{
	int listener = socket(party->address.ss_family, SOCK_STREAM, 0);
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, THREAD_STACK_BYTES);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	if (bind(listener, (const struct sockaddr *)&party->address, sizeof(party->address)) ||
		listen(listener, LISTEN_BACKLOG))
		err(1, "listen");
	for (;;) {
		pthread_t thread;
		int fd = accept(listener, NULL, NULL);
		if (fd < 0 && (errno == ECONNABORTED || errno == EINTR))
			continue;
		if (fd < 0)
			err(1, "accept");
		if (pthread_create(&thread, &attributes, work, end_new(party, fd)))
			errx(1, "no thread for a connection");
	}
}

/* --- the side that dials --- */

static bool open_header(struct end *e, const char *awaited)
{
	return end_say(e, HEADER " from='%s' to='%s'>", e->party->domain, e->party->peer) && end_await(e, awaited) &&
		end_await(e, "</stream:features>");
}

static bool ask_starttls(struct end *e)
{
	return open_header(e, "<starttls") && end_say(e, "<starttls xmlns='" TLS "'/>") && end_await(e, "<proceed") &&
		end_await(e, ">");
}

struct end *end_dial(const struct party *party)
{
	struct end *e = end_new(party, socket(party->address.ss_family, SOCK_STREAM, 0));
	bool open = connect(e->fd, (const struct sockaddr *)&party->address, sizeof(party->address)) == 0 &&
		(party->direct || ask_starttls(e)) && end_secure(e, false) && open_header(e, "EXTERNAL") &&
		(!party->both_ways || end_say(e, "<bidi xmlns='" BIDI "'/>")) &&
		end_say(e, "<auth xmlns='" SASL "' mechanism='EXTERNAL'>=</auth>") && end_await(e, "<success") &&
		end_await(e, ">") && end_say(e, HEADER " from='%s' to='%s'>", party->domain, party->peer) &&
		end_await(e, "<stream:stream") && end_await(e, "<stream:features") && end_await(e, ">");
	if (open)
		return e;
	warn("the stream cannot be opened; last seen: %s", e->input);
	end_close(e);
	return NULL;
}

/* --- */

static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
	unsigned in_len, void *unused)
{
	(void)ssl, (void)unused;
	unsigned char *chosen;
	int rc = SSL_select_next_proto(&chosen, out_len, ALPN, sizeof(ALPN) - 1, in, in_len);
	*out = chosen;
	return rc == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static SSL_CTX *tls_new(char **files)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_method());
	if (!tls || SSL_CTX_use_certificate_chain_file(tls, files[0]) != 1 ||
		SSL_CTX_use_PrivateKey_file(tls, files[1], SSL_FILETYPE_PEM) != 1 ||
		SSL_CTX_load_verify_locations(tls, files[2], NULL) != 1)
		errx(1, "certificate, key or CA cannot be read");
	SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_alpn_select_cb(tls, choose_alpn, NULL);
	SSL_CTX_set_num_tickets(tls, 0);
	SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
	return tls;
}

static void set_address(struct party *party, const char *host, const char *port)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&party->address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&party->address;
	uint16_t number = htons((uint16_t)strtoul(port, NULL, 10));
	if (inet_pton(AF_INET, host, &v4->sin_addr) == 1)
		v4->sin_family = AF_INET, v4->sin_port = number;
	else if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1)
		v6->sin6_family = AF_INET6, v6->sin6_port = number;
	else
		errx(1, "%s is no address", host);
}

void party_init(struct party *party, char **arguments)
{
	memset(party, 0, sizeof(*party));
	set_address(party, arguments[0], arguments[1]);
	party->direct = strstr(arguments[1], "/tls") != NULL;
	party->domain = arguments[2];
	party->peer = arguments[3];
	party->tls = tls_new(arguments + 4);
}
