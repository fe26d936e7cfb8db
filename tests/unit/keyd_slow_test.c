/* What is slow in keyd holds up nothing that is quick, and is bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tls/keyd/slow.h"
#include "tls_pki.h"

#define COUNTER_NAME(id, name) [id] = name,
static const char *const names[] = {KEYD_COUNTERS(COUNTER_NAME)};

static _Atomic unsigned answered, good;        /* by the other thread */

static void on_answer(const struct keyd_answer *answer)
{
	good += answer->status == KEYD_OK && answer->len > 0;
	answered++;
}

struct fixture {
	char folder[64];
	struct pki ca[WIRES];
	struct conf conf;
	struct conf_peer peer;
	struct keyd keyd;
	struct slow slow;
};

static struct fixture *fixture_new(void)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int fd = counters_create();
	assert_non_null(f);
	pki_folder_make(f->folder);
	snprintf(f->peer.domain, sizeof(f->peer.domain), "*");
	f->conf.peers = &f->peer;
	f->conf.peer_count = 1;
	for (unsigned wire = 0; wire < WIRES; wire++) {
		struct conf_wire *conf = &f->conf.wire[wire];
		f->ca[wire] = pki_ca("guard CA");
		conf->life_hours = 24;
		snprintf(conf->ca_certificate, sizeof(conf->ca_certificate), "%.60s/%u.pem", f->folder, wire);
		snprintf(conf->ca_key, sizeof(conf->ca_key), "%.60s/%u.key", f->folder, wire);
		pki_write_certificate(&f->ca[wire], conf->ca_certificate);
		pki_write_key(&f->ca[wire], conf->ca_key, 0600);
	}
	assert_int_equal(keyd_init(&f->keyd, &f->conf, counters_open(fd, names, KEYD_COUNTERS_END)), 0);
	assert_int_equal(slow_start(&f->slow, &f->keyd, on_answer), 0);
	return f;
}

/* The other thread is stopped in the middle of a request, as a token could stop it. */
static void quick_ones_do_not_wait(void **state)
{
	(void)state;
	struct fixture *f = fixture_new();
	struct keyd_answer answer;
	const struct keyd_request slow = {
		.version = KEYD_VERSION, .type = KEYD_MINT, .leaf = KEYD_LEAF_RSA, .domain = "b.example"};
	const struct keyd_request quick = {.version = KEYD_VERSION, .type = KEYD_SIGN, .input_len = 32};
	assert_true(keyd_is_slow(&f->keyd, &slow, sizeof(slow)));
	assert_false(keyd_is_slow(&f->keyd, &quick, sizeof(quick)));
	assert_false(keyd_is_slow(&f->keyd, &slow, sizeof(slow) - 1));

	pthread_mutex_lock(&f->keyd.lock);
	unsigned waiting = 0;
	while (waiting < 2 * SLOW_WAITING_MAX && slow_add(&f->slow, &slow))
		waiting++;
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(keyd_serve(&f->keyd, &quick, sizeof(quick), &answer), 0);
		assert_int_equal(answer.status, KEYD_OK);
	}
	assert_int_equal(answered, 0);
	usleep(100000);                        /* it has taken one */
	waiting += slow_add(&f->slow, &slow);
	assert_false(slow_add(&f->slow, &slow));
	assert_int_equal(waiting, SLOW_WAITING_MAX + 1);
	keyd_refuse(&f->keyd, &slow, &answer);
	assert_int_equal(answer.status, KEYD_TOO_MANY);
	pthread_mutex_unlock(&f->keyd.lock);

	for (unsigned i = 0; i < 600 && answered < waiting; i++)
		usleep(100000);
	assert_int_equal(answered, waiting);
	assert_int_equal(good, SERVE_STRANGERS_MAX);   /* the others are one too many for a minute */
	pki_folder_remove(f->folder);                  /* the thread has no end: the rest stays */
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(quick_ones_do_not_wait)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
