/* Stanzas of all kinds in both directions of one stream; see mixed.h. */
#include "tests/e2e/mixed.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/numbers.h"

/*
 * How far an end may be ahead of what it has taken. Twice that is less than the kernel holds for a socket: no write ever
 * waits for the other end to read, so that two ends that both write do not wait for each other.
 */
enum { AHEAD = 400, BATCH = 40 };
enum { LARGE_BYTES = 24 << 10, STANZA_MAX = LARGE_BYTES + 1024, OUT_BYTES = 128 << 10, SOCKET_BYTES = 4 << 20 };
enum { REFUSED_EVERY = 100, LARGE_EVERY = 300 };

#define STANZAS "urn:ietf:params:xml:ns:xmpp-stanzas"

struct mixed {
	struct end *e;
	unsigned long count, sent, taken, bytes;
	unsigned long refused, told, next_told;       /* of what was sent; the oldest of which nothing was heard */
	char out[OUT_BYTES], expected[STANZA_MAX];
};

/* --- what is sent: canonical, so that what passes is the same to the byte --- */

static bool is_refused(unsigned long number)
{
	return mix(number) % REFUSED_EVERY == 0;
}

/* A body without the word, of a length that differs. */
static int put_message(char *out, const char *from, const char *to, unsigned long number)
{
	static const int lengths[] = {20, 80, 100, 160, 160, 240, 400, 2000};
	uint64_t word = mix(number);
	int length = word % LARGE_EVERY == 1 ? LARGE_BYTES : lengths[word >> 32 & 7];
	return snprintf(out, STANZA_MAX, "<message from='%s' id='n%lu' to='%s' type='%s'><body>%s%0*lu &lt;&amp; \u00e9"
		"</body><active xmlns='http://jabber.org/protocol/chatstates'/></message>", from, number, to,
		word & 1 << 20 ? "chat" : "normal", is_refused(number) ? "The nightingale " : "", length, number);
}

static int put_presence(char *out, const char *from, const char *to, unsigned long number)
{
	if (mix(number) & 1 << 20)
		return snprintf(out, STANZA_MAX, "<presence from='%s' id='n%lu' to='%s' type='unavailable'/>", from, number, to);
	return snprintf(out, STANZA_MAX, "<presence from='%s' id='n%lu' to='%s'><show>away</show><status>%lu</status>"
		"</presence>", from, number, to, number);
}

static int put_iq(char *out, const char *from, const char *to, unsigned long number)
{
	static const struct {
		const char *type, *content;
	} kinds[] = {
		{"get", "><ping xmlns='urn:xmpp:ping'/></iq>"},
		{"get", "><query xmlns='http://jabber.org/protocol/disco#info'/></iq>"},
		{"result", "/>"},
		{"error", "><error type='cancel'><service-unavailable xmlns='" STANZAS "'/></error></iq>"},
	};
	unsigned kind = mix(number) >> 20 & 3;
	return snprintf(out, STANZA_MAX, "<iq from='%s' id='n%lu' to='%s' type='%s'%s", from, number, to, kinds[kind].type,
		kinds[kind].content);
}

struct names {
	char from[300], to[300];
};

static struct names names_of(const char *from, const char *to)
{
	struct names n;
	snprintf(n.from, sizeof(n.from), "juliet@%s/balcony", from);
	snprintf(n.to, sizeof(n.to), "romeo@%s/orchard", to);
	return n;
}

static size_t put_stanza(char *out, const char *from, const char *to, unsigned long number)
{
	struct names n = names_of(from, to);
	unsigned kind = mix(number) >> 40 & 15;
	if (is_refused(number) || kind < 10)
		return (size_t)put_message(out, n.from, n.to, number);
	return (size_t)(kind < 13 ? put_presence : put_iq)(out, n.from, n.to, number);
}

static bool send_batch(struct mixed *m, unsigned long up_to)
{
	const struct party *party = m->e->party;
	size_t len = 0;
	for (unsigned i = 0; i < BATCH && m->sent < up_to && len + STANZA_MAX <= OUT_BYTES; i++, m->sent++) {
		len += put_stanza(m->out + len, party->domain, party->peer, m->sent);
		m->refused += is_refused(m->sent);
	}
	return end_write(m->e, m->out, len);
}

/* --- what arrives --- */

enum found { FOUND_OTHER, FOUND_PART, FOUND_WHOLE };

static enum found compare(const char *input, size_t len, const char *expected, size_t expected_len)
{
	size_t n = len < expected_len ? len : expected_len;
	if (memcmp(input, expected, n))
		return FOUND_OTHER;
	return n == expected_len ? FOUND_WHOLE : FOUND_PART;
}

static void skip_refused(struct mixed *m)
{
	while (m->taken < m->count && is_refused(m->taken))
		m->taken++;
}

/* What the other end sends next; its length is added to *at. */
static enum found take_next(struct mixed *m, size_t *at)
{
	const struct party *party = m->e->party;
	if (m->taken == m->count)
		return FOUND_OTHER;
	size_t len = put_stanza(m->expected, party->peer, party->domain, m->taken);
	enum found found = compare(m->e->input + *at, m->e->len - *at, m->expected, len);
	if (found == FOUND_WHOLE) {
		*at += len;
		m->bytes += len;
		m->taken++;
		skip_refused(m);
	}
	return found;
}

/* The error for the oldest of our own that was refused. */
static enum found take_error(struct mixed *m, size_t *at)
{
	static const char END[] = "</message>";
	struct names n = names_of(m->e->party->domain, m->e->party->peer);
	const char *input = m->e->input + *at;
	while (m->next_told < m->sent && !is_refused(m->next_told))
		m->next_told++;
	int len = snprintf(m->expected, STANZA_MAX, "<message from='%s' id='n%lu' to='%s' type='error'><error type='modify'>"
		"<policy-violation xmlns='" STANZAS "'/>", n.to, m->next_told, n.from);
	enum found found = compare(input, m->e->len - *at, m->expected, (size_t)len);
	const char *end = found == FOUND_WHOLE ? strstr(input, END) : NULL;
	if (found != FOUND_WHOLE || !end)
		return found == FOUND_WHOLE ? FOUND_PART : found;
	*at += (size_t)(end - input) + strlen(END);
	m->told++;
	m->next_told++;
	return FOUND_WHOLE;
}

static bool is_done(const struct mixed *m)
{
	return m->sent == m->count && m->taken == m->count && m->told == m->refused;
}

/* All that is there, up to the end of the stream. False: it is something else than what has to come. */
static bool take_input(struct mixed *m)
{
	size_t at = 0;
	enum found found = FOUND_WHOLE;
	while (at < m->e->len && found == FOUND_WHOLE && !is_done(m)) {
		found = take_next(m, &at);
		if (found == FOUND_OTHER)
			found = take_error(m, &at);
	}
	end_take(m->e, at);
	return found != FOUND_OTHER;
}

/* --- */

static bool is_broken(const struct mixed *m, const char *why)
{
	printf("broken %s: %lu sent, %lu taken; then: %.200s\n", why, m->sent, m->taken, m->e->input);
	return false;
}

/* Until so many have gone in each direction, and all that is to be told of them was told. */
static bool exchange(struct mixed *m, unsigned long up_to)
{
	while (m->sent < up_to || m->taken < up_to || m->told < m->refused) {
		if (m->sent < up_to && m->sent < m->taken + AHEAD) {
			if (!send_batch(m, up_to))
				return is_broken(m, "cannot write");
		} else if (!end_read(m->e)) {
			return is_broken(m, "cannot read");
		} else if (!take_input(m)) {
			return is_broken(m, "other than expected");
		}
	}
	return true;
}

static struct mixed *mixed_new(struct end *e, unsigned long count)
{
	struct mixed *m = calloc(1, sizeof(*m));
	if (!m)
		err(1, "calloc");
	m->e = e;
	m->count = count;
	skip_refused(m);
	setsockopt(e->fd, SOL_SOCKET, SO_SNDBUFFORCE, &(int){SOCKET_BYTES}, sizeof(int));
	return m;
}

static void tell(const struct mixed *m)
{
	printf("mixed %lu %lu %lu %lu %lu\n", m->sent, m->taken, m->refused, m->told, m->bytes);
}

bool mixed_dial(struct end *e, unsigned long count, unsigned long first)
{
	struct mixed *m = mixed_new(e, count);
	char line[16];
	bool good = exchange(m, first);
	printf("at %lu\n", m->sent + m->taken);
	if (good && !fgets(line, sizeof(line), stdin))
		errx(1, "nobody says that it goes on");
	good = good && exchange(m, count) && end_say(e, STREAM_END);
	if (good && !end_await(e, STREAM_END))
		good = is_broken(m, "no end");
	tell(m);
	free(m);
	return good;
}

bool mixed_answer(struct end *e, unsigned long count)
{
	struct mixed *m = mixed_new(e, count);
	bool good = exchange(m, count);
	if (good && !(end_await(e, STREAM_END) && end_say(e, STREAM_END)))
		good = is_broken(m, "no end");
	tell(m);
	free(m);
	return good;
}
