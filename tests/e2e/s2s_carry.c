/*
 * Numbered stanzas over streams between servers, and whether all of them arrive as they were sent.
 *
 *     s2s_carry sink ADDRESS PORT DOMAIN PEER CERT KEY CA
 *     s2s_carry send ADDRESS PORT DOMAIN PEER CERT KEY CA BYTES
 *     s2s_carry echo ADDRESS PORT DOMAIN PEER CERT KEY CA
 *     s2s_carry hold ADDRESS PORT DOMAIN PEER CERT KEY CA STREAMS AT_A_TIME
 *     s2s_carry mixed-answer ADDRESS PORT DOMAIN PEER CERT KEY CA COUNT
 *     s2s_carry mixed-dial   ADDRESS PORT DOMAIN PEER CERT KEY CA COUNT FIRST
 *
 * `send` sends messages with bodies of different length over one stream, BYTES of bodies in all. `hold` opens STREAMS
 * streams to `echo`, which sends each message back, and exchanges a message on each as soon as it is open; says so, waits
 * for a line on its input, and then exchanges another on each. Stream n has the messages 2n and 2n + 1. Each stream is then
 * ended, which the sink answers when it has taken what was before. The last two: see mixed.h. Both ends tell, in lines:
 *
 *     sent|took FIRST COUNT BYTES SHA256       of one stream: number of the first message, how many followed one another
 *                                              without a gap, bytes of their bodies, and the digest of those
 *     broken WHY                               of one stream: a message out of order, or no end
 *     open COUNT SECONDS                       of `hold`
 *     carried COUNT                            of `hold`: streams over which the second went, and the end was answered
 */
#include <err.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "tests/bench/stream.h"
#include "tests/e2e/mixed.h"
#include "tests/e2e/numbers.h"

enum { BODY_MIN = 40, BODY_USUAL = 400, BODY_MAX = 9000, STANZA_MAX = BODY_MAX + 512, THREADS_MAX = 64 };

#define MESSAGE_END "</message>"
#define MESSAGE "<message from='juliet@%s' to='romeo@%s' type='chat' id='n%lu'><body>%.*s</body>" MESSAGE_END

/* What went over one stream. */
struct tally {
	unsigned long first, count, bytes;
	EVP_MD_CTX *digest;
};

static void tally_init(struct tally *t)
{
	*t = (struct tally){.digest = EVP_MD_CTX_new()};
	if (!t->digest || EVP_DigestInit_ex(t->digest, EVP_sha256(), NULL) != 1)
		errx(1, "no digest");
}

static void tally_add(struct tally *t, unsigned long number, const char *body, size_t n)
{
	if (!t->count++)
		t->first = number;
	t->bytes += n;
	EVP_DigestUpdate(t->digest, body, n);
}

static void tally_tell(struct tally *t, const char *verb)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	char text[2 * EVP_MAX_MD_SIZE + 1] = "";
	unsigned n = 0;
	EVP_DigestFinal_ex(t->digest, digest, &n);
	for (unsigned i = 0; i < n; i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
	printf("%s %lu %lu %lu %s\n", verb, t->first, t->count, t->bytes, text);
	EVP_MD_CTX_free(t->digest);
}

/* --- what is sent --- */

static size_t make_body(unsigned long number, size_t max, char *out)
{
	size_t n = BODY_MIN + mix(number) % (max - BODY_MIN);
	size_t len = (size_t)snprintf(out, BODY_MIN, "%lu ", number);
	for (uint64_t word = 0, i = 0; len < n; i++, word >>= 4) {
		if (i % 16 == 0)
			word = mix(number << 20 | i);
		out[len++] = "0123456789abcdef"[word & 15];
	}
	return n;
}

static bool send_message(struct end *e, struct tally *t, unsigned long number, size_t body_max)
{
	char body[BODY_MAX], text[STANZA_MAX];
	size_t n = make_body(number, body_max, body);
	int len = snprintf(text, sizeof(text), MESSAGE, e->party->domain, e->party->peer, number, (int)n, body);
	tally_add(t, number, body, n);
	return end_write(e, text, (size_t)len);
}

static bool finish(struct end *e)
{
	return end_say(e, STREAM_END) && end_await(e, STREAM_END);
}

static void send_bytes(const struct party *party, unsigned long bytes)
{
	struct tally t;
	struct end *e = end_dial(party);
	if (!e)
		exit(1);
	tally_init(&t);
	for (unsigned long number = 0; t.bytes < bytes; number++)
		if (!send_message(e, &t, number, BODY_MAX))
			errx(1, "the connection was lost after %lu messages", number);
	if (!finish(e))
		errx(1, "the end of the stream was not answered");
	tally_tell(&t, "sent");
	end_close(e);
}

/* --- many streams, a few threads --- */

struct crowd {
	const struct party *party;
	struct end **ends;
	unsigned count;
	atomic_uint next, good;
	void (*each)(struct crowd *crowd, unsigned number);
};

/* Says a message and hears the same. */
static bool exchange(struct end *e, unsigned long number)
{
	char id[40];
	struct tally t;
	tally_init(&t);
	snprintf(id, sizeof(id), " id='n%lu'", number);
	bool good = send_message(e, &t, number, BODY_USUAL) && end_await(e, id) && end_await(e, MESSAGE_END);
	EVP_MD_CTX_free(t.digest);
	return good;
}

static void crowd_open(struct crowd *c, unsigned number)
{
	struct end *e = c->ends[number] = end_dial(c->party);
	if (e && exchange(e, 2UL * number))
		c->good++;
}

static void crowd_say(struct crowd *c, unsigned number)
{
	struct end *e = c->ends[number];
	if (!e)
		return;
	if (exchange(e, 2UL * number + 1) && finish(e))
		c->good++;
	else
		warnx("stream %u: lost; last seen: %s", number, e->input);
	end_close(e);
}

static void *crowd_work(void *arg)
{
	struct crowd *c = arg;
	for (unsigned number; (number = c->next++) < c->count;)
		c->each(c, number);
	return NULL;
}

/* Returns with how many it went well. */
static unsigned crowd_run(struct crowd *c, unsigned at_a_time, void (*each)(struct crowd *, unsigned))
{
	pthread_t threads[THREADS_MAX];
	c->next = c->good = 0;
	c->each = each;
	for (unsigned i = 0; i < at_a_time; i++)
		if (pthread_create(&threads[i], NULL, crowd_work, c))
			errx(1, "pthread_create");
	for (unsigned i = 0; i < at_a_time; i++)
		pthread_join(threads[i], NULL);
	return c->good;
}

static void hold(const struct party *party, unsigned count, unsigned at_a_time)
{
	struct crowd c = {.party = party, .ends = calloc(count, sizeof(*c.ends)), .count = count};
	char line[16];
	double start = seconds_now();
	if (!c.ends || !at_a_time || at_a_time > THREADS_MAX)
		errx(1, "streams or threads: none, or too many");
	unsigned open = crowd_run(&c, at_a_time, crowd_open);
	printf("open %u %.1f\n", open, seconds_now() - start);
	if (!fgets(line, sizeof(line), stdin))
		errx(1, "nobody says that it goes on");
	printf("carried %u\n", crowd_run(&c, at_a_time, crowd_say));
	free(c.ends);
}

/* --- what arrives --- */

static const char *between(const char *text, const char *before, const char *after, size_t *n)
{
	const char *start = strstr(text, before), *end = start ? strstr(start + strlen(before), after) : NULL;
	if (!end)
		return NULL;
	start += strlen(before);
	*n = (size_t)(end - start);
	return start;
}

static bool send_back(struct end *e, unsigned long number, size_t n, const char *body)
{
	char text[STANZA_MAX];
	int len = snprintf(text, sizeof(text), MESSAGE, e->party->domain, e->party->peer, number, (int)n, body);
	return (size_t)len < sizeof(text) && end_write(e, text, (size_t)len);
}

/* Takes the message at the start of the input. False: it is not the one that follows those before it. */
static bool take_message(struct end *e, struct tally *t, size_t length)
{
	char last = e->input[length], *id_end;
	size_t n = 0;
	e->input[length] = '\0';
	const char *body = between(e->input, "<body>", "</body>", &n), *id = strstr(e->input, " id=");
	unsigned long number = id && id[5] == 'n' ? strtoul(id + 6, &id_end, 10) : 0;
	bool good = body && id && strtoul(body, NULL, 10) == number && (!t->count || number == t->first + t->count);
	if (good)
		tally_add(t, number, body, n);
	if (good && e->party->both_ways)
		good = send_back(e, number, n, body);
	e->input[length] = last;
	end_take(e, length);
	return good;
}

/* Until the stream ends. NULL, or why it is broken. */
static const char *take_messages(struct end *e, struct tally *t)
{
	for (;;) {
		char *end = strstr(e->input, MESSAGE_END);
		if (end && !take_message(e, t, (size_t)(end - e->input) + strlen(MESSAGE_END)))
			return "a message is not the next one";
		if (!end && strstr(e->input, STREAM_END))
			return end_say(e, STREAM_END) ? NULL : "its end could not be answered";
		if (!end && !end_read(e))
			return "no end";
	}
}

static void *take_stream(void *arg)
{
	struct end *e = arg;
	if (end_accept(e)) {
		struct tally t;
		tally_init(&t);
		const char *fault = take_messages(e, &t);
		tally_tell(&t, "took");
		if (fault)
			printf("broken %s\n", fault);
	}
	end_close(e);
	return NULL;
}

static void *take_mixed(void *arg)
{
	struct end *e = arg;
	if (end_accept(e))
		mixed_answer(e, *(const unsigned long *)e->party->owner);
	end_close(e);
	return NULL;
}

/* --- */

static void dial_mixed(const struct party *party, unsigned long count, unsigned long first)
{
	struct end *e = end_dial(party);
	bool good = e && mixed_dial(e, count, first);
	if (e)
		end_close(e);
	if (!good)
		exit(1);
}

static unsigned long number_of(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);
	if (!*text || *end)
		errx(1, "%s: not a number", text);
	return value;
}

static void allow_many_files(void)
{
	struct rlimit limit;
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv)
{
	struct party party;
	unsigned long count;
	int more = argc - 2 - STREAM_ARGUMENTS;
	if (more < 0)
		errx(2, "see the head of s2s_carry.c");
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	allow_many_files();
	party_init(&party, argv + 2);
	char **rest = argv + 2 + STREAM_ARGUMENTS;
	party.both_ways = strcmp(argv[1], "sink") && strcmp(argv[1], "send");
	if ((!strcmp(argv[1], "sink") || !strcmp(argv[1], "echo")) && more == 0)
		party_serve(&party, take_stream);
	else if (!strcmp(argv[1], "mixed-answer") && more == 1)
		party.owner = &count, count = number_of(rest[0]), party_serve(&party, take_mixed);
	else if (!strcmp(argv[1], "mixed-dial") && more == 2)
		dial_mixed(&party, number_of(rest[0]), number_of(rest[1]));
	else if (!strcmp(argv[1], "send") && more == 1)
		send_bytes(&party, number_of(rest[0]));
	else if (!strcmp(argv[1], "hold") && more == 2)
		hold(&party, (unsigned)number_of(rest[0]), (unsigned)number_of(rest[1]));
	else
		errx(2, "see the head of s2s_carry.c");
	SSL_CTX_free(party.tls);
	return 0;
}
