/*
 * What TLS itself costs a process that stands in the middle and ends it on both sides: OpenSSL, one thread, memory between
 * the ends, nothing else. Two mutual handshakes in one loop:
 *
 *     client  ======  the middle: server half | client half  ======  server
 *
 *     handshakes COUNT CERT KEY CA PEER_CERT PEER_KEY PEER_CA [1.2|1.3]
 *
 * The first certificate is the client's and, to the server, the middle's; the second the server's and, to the client, the
 * middle's. Prints microseconds of CPU for each connection: "MIDDLE BOTH": the middle's two halves, and both handshakes
 * whole, with the two ends.
 */
#include <err.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ARGUMENTS = 8, ROUNDS_MAX = 16 };

struct identity {
	const char *certificate, *key, *ca;
};

/* Two ends with a pair of BIOs between them, and the CPU that each took. */
struct wire {
	SSL *client, *server;
	double *client_cost, *server_cost;
};

static double cpu_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static SSL_CTX *context_new(const SSL_METHOD *method, const struct identity *own, int version)
{
	SSL_CTX *tls = SSL_CTX_new(method);
	if (!tls || SSL_CTX_use_certificate_chain_file(tls, own->certificate) != 1 ||
		SSL_CTX_use_PrivateKey_file(tls, own->key, SSL_FILETYPE_PEM) != 1 ||
		SSL_CTX_load_verify_locations(tls, own->ca, NULL) != 1 || !SSL_CTX_set_min_proto_version(tls, version) ||
		!SSL_CTX_set_max_proto_version(tls, version))
		errx(1, "certificate, key or CA cannot be read");
	SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_num_tickets(tls, 0);
	SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
	return tls;
}

static SSL *end_new(SSL_CTX *tls, bool server, double *cost)
{
	double start = cpu_us();
	SSL *ssl = SSL_new(tls);
	if (!ssl)
		errx(1, "SSL_new");
	if (server)
		SSL_set_accept_state(ssl);
	else
		SSL_set_connect_state(ssl);
	*cost += cpu_us() - start;
	return ssl;
}

static void wire_make(struct wire *wire, SSL_CTX *client, double *client_cost, SSL_CTX *server, double *server_cost)
{
	BIO *left, *right;
	*wire = (struct wire){end_new(client, false, client_cost), end_new(server, true, server_cost), client_cost,
		server_cost};
	if (BIO_new_bio_pair(&left, 64 << 10, &right, 64 << 10) != 1)
		errx(1, "BIO_new_bio_pair");
	SSL_set_bio(wire->client, left, left);
	SSL_set_bio(wire->server, right, right);
}

static bool step(SSL *ssl, double *cost)
{
	double start = cpu_us();
	int rc = SSL_do_handshake(ssl);
	if (rc != 1 && SSL_get_error(ssl, rc) != SSL_ERROR_WANT_READ)
		errx(1, "the handshake failed");
	*cost += cpu_us() - start;
	return rc == 1;
}

static void wire_shake(struct wire *wire)
{
	bool done = false;
	for (unsigned i = 0; !done && i < ROUNDS_MAX; i++) {
		bool client = step(wire->client, wire->client_cost), server = step(wire->server, wire->server_cost);
		done = client && server;
	}
	if (!done)
		errx(1, "the handshake has no end");
}

static void end_free(SSL *ssl, double *cost)
{
	double start = cpu_us();
	SSL_free(ssl);
	*cost += cpu_us() - start;
}

static void wire_free(struct wire *wire)
{
	end_free(wire->client, wire->client_cost);
	end_free(wire->server, wire->server_cost);
}

int main(int argc, char **argv)
{
	if (argc < ARGUMENTS)
		errx(2, "see the head of handshakes.c");
	int version = argc > ARGUMENTS && !strcmp(argv[ARGUMENTS], "1.2") ? TLS1_2_VERSION : TLS1_3_VERSION;
	const struct identity dialler = {argv[2], argv[3], argv[4]}, dialled = {argv[5], argv[6], argv[7]};
	SSL_CTX *client = context_new(TLS_client_method(), &dialler, version);
	SSL_CTX *to_client = context_new(TLS_server_method(), &dialled, version);
	SSL_CTX *to_server = context_new(TLS_client_method(), &dialler, version);
	SSL_CTX *server = context_new(TLS_server_method(), &dialled, version);
	unsigned long count = strtoul(argv[1], NULL, 10);
	double ends = 0, middle = 0;
	for (unsigned long i = 0; i < count; i++) {
		struct wire inside, outside;
		wire_make(&inside, client, &ends, to_client, &middle);
		wire_make(&outside, to_server, &middle, server, &ends);
		wire_shake(&outside);
		wire_shake(&inside);
		wire_free(&inside);
		wire_free(&outside);
	}
	printf("%.1f %.1f\n", middle / (double)count, (middle + ends) / (double)count);
	SSL_CTX_free(client);
	SSL_CTX_free(to_client);
	SSL_CTX_free(to_server);
	SSL_CTX_free(server);
	return 0;
}
