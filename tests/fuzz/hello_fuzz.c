/*
 * What a client may begin direct TLS with. The first byte says how the rest is cut into segments; the rest is what the
 * client sends, from its first byte on. The whole relay reads it, control agrees to whatever name comes up, and the server
 * is silent. Nothing of it is ever plaintext, no name is longer than it says, and nobody is shown a certificate.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/tls_harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 64 << 10, ALERT_RECORD_BYTES = 7 };

static void reset_side(struct world *w, enum conn_side side)
{
	struct endpoint *e = &w->endpoint[side];
	struct told *told = &w->told[side];
	buf_drop(&e->got, buf_len(&e->got));
	e->credit = told->credit = CHANNEL_WINDOW;
	e->owed = told->owed = 0;
	e->got_end = e->got_reset = told->ended = told->reset = false;
	e->wire_bytes = e->got_bytes = told->got_bytes = 0;
	buf_drop(&told->got, buf_len(&told->got));
	(void)BIO_reset(e->in);
}

static void open_anew(struct world *w)
{
	for (unsigned side = 0; side < SIDES; side++)
		reset_side(w, side);
	w->closed = false;
	w->hellos = w->failures = 0;
	world_open(w);
}

static void check_hello(const struct world *w)
{
	if (w->hellos > 1 || !memchr(w->hello.server_name, 0, sizeof(w->hello.server_name)) || w->hello.alpn >= HELLO_ALPNS)
		abort();
}

static void check_nothing_told(const struct world *w)
{
	if (w->rc < 0 || w->told[SIDE_CLIENT].got_bytes || w->readies || w->keyd_requests[KEYD_MINT] ||
		w->endpoint[SIDE_CLIENT].wire_bytes > ALERT_RECORD_BYTES)
		abort();
}

static void send(struct world *w, const uint8_t *bytes, size_t len, size_t piece)
{
	while (len) {
		size_t n = len < piece ? len : piece;
		player_say(&w->lower, MSG_BYTES, SIDE_CLIENT, CONN, bytes, (uint32_t)n);
		bytes += n;
		len -= n;
		if (piece > 1 || len % 16 == 0)
			world_turn(w);
	}
	world_settle(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world *w;
	static const size_t pieces[] = {INPUT_MAX, 1, 5, 512};
	if (!w)
		w = world_new();
	if (size < 2 || size > INPUT_MAX || data[1] != SSL3_RT_HANDSHAKE)
		return 0;
	open_anew(w);
	send(w, data + 1, size - 1, pieces[data[0] % 4]);
	check_hello(w);
	check_nothing_told(w);
	if (w->hellos && w->hello.server_name[0] && !w->failures) {
		world_start_direct(w, data[0] & 4 ? AUTH_STRONG : AUTH_TLS_DIALBACK);
		world_settle(w);
		check_nothing_told(w);
	}
	player_say(&w->lower, MSG_CLOSED, SIDE_CLIENT, CONN, NULL, 0);
	world_settle(w);
	if (!w->closed)
		abort();
	return 0;
}
