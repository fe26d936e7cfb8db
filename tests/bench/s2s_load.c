/*
 * Load for the guard: the two ends of XMPP federation as plainly as they can be written, a thread for each connection.
 *
 *     s2s_load sink    ADDRESS PORT DOMAIN PEER CERT KEY CA
 *     s2s_load answer  ADDRESS PORT DOMAIN PEER CERT KEY CA
 *     s2s_load send    ADDRESS PORT DOMAIN PEER CERT KEY CA CONNECTIONS SECONDS [STANZAS_PER_SECOND]
 *     s2s_load message ADDRESS PORT DOMAIN PEER CERT KEY CA CONNECTIONS SECONDS PER_RECORD
 *     s2s_load bulk    ADDRESS PORT DOMAIN PEER CERT KEY CA CONNECTIONS SECONDS
 *     s2s_load connect ADDRESS PORT DOMAIN PEER CERT KEY CA AT_A_TIME SECONDS
 *     s2s_load echo    ADDRESS PORT DOMAIN PEER CERT KEY CA CONNECTIONS SECONDS [PER_SECOND]
 *     s2s_load hold    ADDRESS PORT DOMAIN PEER CERT KEY CA CONNECTIONS SECONDS
 *
 * Every connection is a stream with STARTTLS (or direct TLS: PORT/tls), certificates of both sides verified, and SASL
 * EXTERNAL. `send` prints how many stanzas the sink took and in how many seconds, `message` the same of messages of 300
 * bytes, so many in a TLS record; `bulk` how many bytes of body, in stanzas of 16 KiB; `connect` how many connections came
 * to that point and in how many. `echo` sends messages of 300 bytes, each when the one before was answered by another of
 * 300 bytes, and so many a second, to `answer`, and prints how many, in how many seconds, and of the round trips in us the
 * median and the 99th percentile. `hold` opens connections, prints how many,
 * and leaves them idle until its input ends.
 */
#include <err.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/stream.h"

enum { BATCH = 40, RECORD_MAX = 16 << 10, THREADS_MAX = 64, BODY = 16 << 10, HOLD_THREADS = 16, TRIPS_MAX = 1 << 21 };

struct load {
	struct party party;
	double seconds, rate;          /* rate: stanzas a second on one connection, 0: as many as go */
	atomic_ulong done;
	float *trips;                  /* of `echo`: us of each round trip, of all connections */
	unsigned each;                 /* of `hold`: connections of a thread */
	unsigned per_record;           /* of `message` */
};

/* Takes stanzas until the stream ends, and ends it too. */
static void *sink_connection(void *arg)
{
	struct end *e = arg;
	if (end_accept(e)) {
		do {                   /* the end of the stream may be cut in two */
			size_t keep = e->len < strlen(STREAM_END) ? e->len : strlen(STREAM_END) - 1;
			if (strstr(e->input, STREAM_END)) {
				end_say(e, STREAM_END);
				break;
			}
			end_take(e, e->len - keep);
		} while (end_read(e));
	}
	end_close(e);
	return NULL;
}

/* Answers message by message until the stream ends. */
static void *answer_connection(void *arg)
{
	struct end *e = arg;
	char message[STREAM_MESSAGE_BYTES + 1];
	stream_message(e->party->domain, e->party->peer, message);
	if (end_accept(e))
		while (end_await(e, STREAM_MESSAGE_END) && end_write(e, message, STREAM_MESSAGE_BYTES))
			;
	end_close(e);
	return NULL;
}

static struct end *dial(const struct load *load)
{
	struct end *e = end_dial(&load->party);
	if (!e)
		exit(1);
	return e;
}

static size_t stanza(const struct load *load, unsigned long number, char *out, size_t room)
{
	return (size_t)snprintf(out, room,
		"<message from='juliet@%s/balcony' to='romeo@%s/orchard' type='chat' id='m%lu' xml:lang='en'><body>My ears "
		"have not yet drunk a hundred words of that tongue's utterance, yet I know the sound; art thou not one of "
		"that house, and come over the wall?</body><active xmlns='http://jabber.org/protocol/chatstates'/>"
		"<request xmlns='urn:xmpp:receipts'/></message>", load->party.domain, load->party.peer, number);
}

static void *send_stanzas(void *arg)
{
	struct load *load = arg;
	struct end *e = dial(load);
	double start = seconds_now(), elapsed;
	unsigned long sent = 0;
	char batch[BATCH * 512];
	while ((elapsed = seconds_now() - start) < load->seconds) {
		size_t len = 0;
		unsigned due = load->rate ? (unsigned)(elapsed * load->rate) : (unsigned)sent + BATCH;
		for (; sent < due && len + 512 <= sizeof(batch); sent++)
			len += stanza(load, sent, batch + len, sizeof(batch) - len);
		if (len && !end_write(e, batch, len))
			errx(1, "the connection was lost");
		if (load->rate)
			usleep(1000);
	}
	if (!end_say(e, STREAM_END) || !end_await(e, STREAM_END))
		errx(1, "the end of the stream was not answered");
	atomic_fetch_add(&load->done, sent);
	end_close(e);
	return NULL;
}

/* As fast as they go. */
static void *send_messages(void *arg)
{
	struct load *load = arg;
	struct end *e = dial(load);
	char record[RECORD_MAX + 1];
	size_t len = 0;
	unsigned long sent = 0;
	for (unsigned i = 0; i < load->per_record; i++, len += STREAM_MESSAGE_BYTES)
		stream_message(load->party.domain, load->party.peer, record + len);
	for (double start = seconds_now(); seconds_now() - start < load->seconds; sent += load->per_record)
		if (!end_write(e, record, len))
			errx(1, "the connection was lost");
	if (!end_say(e, STREAM_END) || !end_await(e, STREAM_END))
		errx(1, "the end of the stream was not answered");
	atomic_fetch_add(&load->done, sent);
	end_close(e);
	return NULL;
}

/* Large stanzas, so that what carries them counts, and what they cost counts little. */
static void *send_bulk(void *arg)
{
	struct load *load = arg;
	struct end *e = dial(load);
	char text[BODY + 512], body[BODY + 1];
	for (unsigned i = 0; i < BODY; i++)
		body[i] = (char)(i % 80 ? 'a' + i % 26 : '\n');
	body[BODY] = '\0';
	int n = snprintf(text, sizeof(text), "<message from='juliet@%s' to='romeo@%s'><body>%s</body></message>",
		load->party.domain, load->party.peer, body);
	unsigned long sent = 0;
	for (double start = seconds_now(); seconds_now() - start < load->seconds; sent += BODY)
		if (!end_write(e, text, (size_t)n))
			errx(1, "the connection was lost");
	if (!end_say(e, STREAM_END) || !end_await(e, STREAM_END))
		errx(1, "the end of the stream was not answered");
	atomic_fetch_add(&load->done, sent);
	end_close(e);
	return NULL;
}

/* Returns at that time, or at once where it is past; what was missed is not made up for. */
static double wait_until(double due)
{
	double now = seconds_now();
	if (due > now)
		usleep((useconds_t)((due - now) * 1e6));
	return due > now ? due : now;
}

static void *send_and_await(void *arg)
{
	struct load *load = arg;
	struct end *e = dial(load);
	char message[STREAM_MESSAGE_BYTES + 1];
	stream_message(load->party.domain, load->party.peer, message);
	double start = seconds_now();
	for (double sent = start, due = start; sent - start < load->seconds;) {
		if (load->rate)
			due = wait_until(due + 1 / load->rate);
		sent = seconds_now();
		if (!end_write(e, message, STREAM_MESSAGE_BYTES) || !end_await(e, STREAM_MESSAGE_END))
			errx(1, "a message was not answered");
		double now = seconds_now();
		unsigned long number = atomic_fetch_add(&load->done, 1);
		load->trips[number % TRIPS_MAX] = (float)((now - sent) * 1e6);
	}
	end_close(e);
	return NULL;
}

static void *open_many(void *arg)
{
	struct load *load = arg;
	for (unsigned i = 0; i < load->each; i++)
		if (dial(load))        /* lives as long as the program */
			atomic_fetch_add(&load->done, 1);
	return NULL;
}

static void *open_and_close(void *arg)
{
	struct load *load = arg;
	for (double start = seconds_now(); seconds_now() - start < load->seconds; atomic_fetch_add(&load->done, 1)) {
		struct end *e = dial(load);
		end_say(e, STREAM_END);
		end_await(e, STREAM_END);
		end_close(e);
	}
	return NULL;
}

static void run_threads(struct load *load, unsigned count, void *(*work)(void *))
{
	pthread_t threads[THREADS_MAX];
	double start = seconds_now();
	if (count > THREADS_MAX)
		errx(1, "at most %d at a time", THREADS_MAX);
	for (unsigned i = 0; i < count; i++)
		if (pthread_create(&threads[i], NULL, work, load))
			errx(1, "pthread_create");
	for (unsigned i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	printf("%lu %.3f", load->done, seconds_now() - start);
}

static int by_size(const void *a, const void *b)
{
	float left = *(const float *)a, right = *(const float *)b;
	return (left > right) - (left < right);
}

static void run_echo(struct load *load, unsigned count)
{
	load->trips = malloc(TRIPS_MAX * sizeof(*load->trips));
	if (!load->trips)
		err(1, "malloc");
	run_threads(load, count, send_and_await);
	size_t trips = load->done < TRIPS_MAX ? load->done : TRIPS_MAX;
	qsort(load->trips, trips, sizeof(*load->trips), by_size);
	printf(" %.1f %.1f\n", load->trips[trips / 2], load->trips[trips * 99 / 100]);
}

static void run_hold(struct load *load, unsigned count)
{
	load->each = count / HOLD_THREADS;
	run_threads(load, HOLD_THREADS, open_many);
	printf("\n");
	fflush(stdout);
	while (getchar() != EOF)
		;
}

static void *(*work_of(const char *mode))(void *)
{
	if (!strcmp(mode, "send"))
		return send_stanzas;
	if (!strcmp(mode, "message"))
		return send_messages;
	return strcmp(mode, "bulk") ? open_and_close : send_bulk;
}

static void run_load(struct load *load, const char *mode, unsigned count)
{
	if (!strcmp(mode, "echo")) {
		run_echo(load, count);
	} else if (!strcmp(mode, "hold")) {
		run_hold(load, count);
	} else {
		run_threads(load, count, work_of(mode));
		printf("\n");
	}
}

static bool is_dialled(const char *mode)
{
	return !strcmp(mode, "sink") || !strcmp(mode, "answer");
}

int main(int argc, char **argv)
{
	struct load load = {0};
	if (argc < 9 || (argc < 11 && !is_dialled(argv[1])))
		errx(2, "see the head of s2s_load.c");
	signal(SIGPIPE, SIG_IGN);
	party_init(&load.party, argv + 2);
	load.party.both_ways = !strcmp(argv[1], "answer") || !strcmp(argv[1], "echo");
	if (is_dialled(argv[1]))
		party_serve(&load.party, load.party.both_ways ? answer_connection : sink_connection);
	unsigned count = (unsigned)strtoul(argv[9], NULL, 10);
	load.seconds = strtod(argv[10], NULL);
	load.rate = argc > 11 ? strtod(argv[11], NULL) / count : 0;
	load.per_record = argc > 11 ? (unsigned)strtoul(argv[11], NULL, 10) : 1;
	if (load.per_record * STREAM_MESSAGE_BYTES > RECORD_MAX && !strcmp(argv[1], "message"))
		errx(2, "at most %d in a record", RECORD_MAX / STREAM_MESSAGE_BYTES);
	run_load(&load, argv[1], count);
	return 0;
}
