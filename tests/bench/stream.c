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
	return e->ssl && SSL_set_fd(e->ssl, e->fd) == 1 && (server ? SSL_accept(e->ssl) : SSL_connect(e->ssl)) == 1;
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

bool end_accept(struct end *e)
{
	return answer_header(e, "<starttls xmlns='" TLS "'><required/></starttls>") && end_await(e, "<starttls") &&
		end_await(e, ">") && end_say(e, "<proceed xmlns='" TLS "'/>") && end_secure(e, true) &&
		answer_header(e, "<mechanisms xmlns='" SASL "'><mechanism>EXTERNAL</mechanism></mechanisms>") &&
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

struct end *end_dial(const struct party *party)
{
	struct end *e = end_new(party, socket(party->address.ss_family, SOCK_STREAM, 0));
	bool open = connect(e->fd, (const struct sockaddr *)&party->address, sizeof(party->address)) == 0 &&
		open_header(e, "<starttls") && end_say(e, "<starttls xmlns='" TLS "'/>") && end_await(e, "<proceed") &&
		end_await(e, ">") && end_secure(e, false) && open_header(e, "EXTERNAL") &&
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

static SSL_CTX *tls_new(char **files)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_method());
	if (!tls || SSL_CTX_use_certificate_chain_file(tls, files[0]) != 1 ||
		SSL_CTX_use_PrivateKey_file(tls, files[1], SSL_FILETYPE_PEM) != 1 ||
		SSL_CTX_load_verify_locations(tls, files[2], NULL) != 1)
		errx(1, "certificate, key or CA cannot be read");
	SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS);
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
	party->domain = arguments[2];
	party->peer = arguments[3];
	party->tls = tls_new(arguments + 4);
}
