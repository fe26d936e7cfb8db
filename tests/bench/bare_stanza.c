/*
 * What nobody who looks into a stream of stanzas under TLS can do without: decrypt, parse, encrypt again. OpenSSL and expat
 * in one thread, with memory between the ends, and nothing else:
 *
 *     source  == records ==>  [ decrypt | parse | encrypt ]  == records ==>  nobody
 *
 *     bare_stanza COUNT PER_RECORD CERT KEY
 *
 * COUNT stanzas of 300 bytes, as s2s_load sends them, PER_RECORD in a record. Prints microseconds of CPU for each.
 */
#include <err.h>
#include <expat.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/bench/stream.h"

enum { ARGUMENTS = 5, ROUND_BYTES = 64 << 10, WIRE_BYTES = 256 << 10, RECORD_MAX = 16 << 10 };

#define HEADER "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'>"

struct bare {
	SSL *source, *middle;
	XML_Parser parser;
	char record[RECORD_MAX];
	size_t record_len;
	unsigned long seen;            /* bytes of text, so that the parser does not work for nothing */
};

static double cpu_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* What was sent back goes nowhere. */
static void drain(SSL *end)
{
	char nowhere[RECORD_MAX];
	while (BIO_read(SSL_get_rbio(end), nowhere, sizeof(nowhere)) > 0)
		;
}

/* --- TLS 1.3 with AES-256-GCM, which the guard and the ends of s2s_load agree on --- */

static SSL_CTX *context_new(char **files)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_method());
	if (!tls || SSL_CTX_use_certificate_chain_file(tls, files[0]) != 1 ||
		SSL_CTX_use_PrivateKey_file(tls, files[1], SSL_FILETYPE_PEM) != 1 ||
		SSL_CTX_set_ciphersuites(tls, "TLS_AES_256_GCM_SHA384") != 1 ||
		SSL_CTX_set_min_proto_version(tls, TLS1_3_VERSION) != 1)
		errx(1, "certificate or key cannot be read");
	return tls;
}

static void connect_ends(struct bare *b, SSL_CTX *tls)
{
	BIO *left, *right;
	b->source = SSL_new(tls);
	b->middle = SSL_new(tls);
	if (!b->source || !b->middle || BIO_new_bio_pair(&left, WIRE_BYTES, &right, WIRE_BYTES) != 1)
		errx(1, "no memory");
	SSL_set_bio(b->source, left, left);
	SSL_set_bio(b->middle, right, right);
	SSL_set_connect_state(b->source);
	SSL_set_accept_state(b->middle);
	bool done = false;
	for (unsigned i = 0; !done && i < 8; i++) {
		int client = SSL_do_handshake(b->source), server = SSL_do_handshake(b->middle);
		done = client == 1 && server == 1;
	}
	if (!done)
		errx(1, "the handshake has no end");
	drain(b->source);
}

/* --- XML --- */

static void on_start(void *data, const char *name, const char **attributes)
{
	struct bare *b = data;
	b->seen += (name != NULL) + (attributes != NULL);
}

static void on_end(void *data, const char *name)
{
	struct bare *b = data;
	b->seen += name != NULL;
}

static void on_text(void *data, const char *text, int len)
{
	struct bare *b = data;
	b->seen += (unsigned long)len * (text != NULL);
}

static void parse(struct bare *b, const char *bytes, size_t len)
{
	if (XML_Parse(b->parser, bytes, (int)len, XML_FALSE) != XML_STATUS_OK)
		errx(1, "not well-formed");
}

static void parser_init(struct bare *b)
{
	b->parser = XML_ParserCreateNS("UTF-8", '\x1f');
	if (!b->parser)
		errx(1, "no memory");
	XML_SetUserData(b->parser, b);
	XML_SetElementHandler(b->parser, on_start, on_end);
	XML_SetCharacterDataHandler(b->parser, on_text);
	parse(b, HEADER, strlen(HEADER));
}

/* --- */

/* CPU of the middle for so many records. */
static double carry(struct bare *b, unsigned records)
{
	char text[RECORD_MAX];
	int n;
	for (unsigned i = 0; i < records; i++)
		if (SSL_write(b->source, b->record, (int)b->record_len) != (int)b->record_len)
			errx(1, "the wire is full");
	double start = cpu_us();
	while ((n = SSL_read(b->middle, text, sizeof(text))) > 0) {
		parse(b, text, (size_t)n);
		if (SSL_write(b->middle, text, n) != n)
			errx(1, "the wire is full");
	}
	double cost = cpu_us() - start;
	drain(b->source);
	return cost;
}

int main(int argc, char **argv)
{
	struct bare b = {0};
	if (argc < ARGUMENTS)
		errx(2, "see the head of bare_stanza.c");
	unsigned long count = strtoul(argv[1], NULL, 10), per_record = strtoul(argv[2], NULL, 10), done = 0;
	char message[STREAM_MESSAGE_BYTES + 1];
	if (!per_record || per_record * STREAM_MESSAGE_BYTES > RECORD_MAX)
		errx(2, "from 1 to %d to a record", RECORD_MAX / STREAM_MESSAGE_BYTES);
	stream_message("a.example", "b.example", message);
	for (; b.record_len < per_record * STREAM_MESSAGE_BYTES; b.record_len += STREAM_MESSAGE_BYTES)
		memcpy(b.record + b.record_len, message, STREAM_MESSAGE_BYTES);
	SSL_CTX *tls = context_new(argv + 3);
	connect_ends(&b, tls);
	parser_init(&b);
	unsigned records = (unsigned)(ROUND_BYTES / b.record_len);
	double cost = 0;
	carry(&b, records);            /* what is done once only */
	for (; done < count; done += records * per_record)
		cost += carry(&b, records);
	printf("%.3f\n", cost / (double)done);
	XML_ParserFree(b.parser);
	SSL_free(b.source);
	SSL_free(b.middle);
	SSL_CTX_free(tls);
	return b.seen ? 0 : 1;
}
