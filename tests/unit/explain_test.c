/* Why, from the audit: the last verdict of a number, with its stages, the key that decides,
	and what the sender was told. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "control/trial/explain.h"

/* With single quotes in the place of double ones. */
static char audit[] =
	"{'time':'t0','event':'verdict','id':7,'session':1,'direction':'inbound','action':'refused'}\n"
	"{'time':'t1','event':'guard','what':'started'}\n"
	"{'time':'t2','event':'verdict','id':7,'session':3,'direction':'outbound','from':'u@a.example',"
	"'to':'v@b.example\\u001b[31m','stanza':'message','type':'chat','stanza_id':'m\\'id\\':8,',"
	"'action':'refused','rule':'content.forbidden-words','reason':'a word','changed':'nick taken out',"
	"'delivery':'queued','peer':'*.example','profile':'p','stages':[{'stage':'shape','action':'pass'},"
	"{'stage':'features','action':'rewritten','rule':'features.nick'},{'stage':'presence',"
	"'monitored':'dropped','rule':'presence.level'},{'stage':'content','action':'refused',"
	"'rule':'content.forbidden-words'}]}\n"
	"{'time':'t3','event':'verdict','id':17,'direc\n"
	"{'time':'t3','event':'refusal','id':7,'from':'x','to':'y','delivery':'reverse'}\n"
	"{'time':'t4','event':'monitor','id':9,'session':3,'direction':'inbound','from':'u','to':'v',"
	"'stanza':'iq','would':'refused','rule':'features.unknown','reason':'who knows','peer':'*',"
	"'profile':'q','stages':[{'stage':'features','monitored':'refused','rule':'features.unknown'}]}\n"
	"{'time':'t5','event':'verdict','id':10,'session':3,'direction':'inbound','from':'u','to':'v',"
	"'stanza':'message','action':'dropped','rule':'rates.user','reason':'too many','changed':'',"
	"'delivery':'none','peer':'*','profile':'q','stages':[{'stage':'shape','action':'pass'}]}\n";

static int explain_text(uint64_t number, char *text, size_t size)
{
	FILE *in = fmemopen(audit, sizeof(audit) - 1, "r"), *out = fmemopen(text, size, "w");
	int rc;

	assert_non_null(in);
	assert_non_null(out);
	rc = explain(in, number, out);
	fclose(in);
	fclose(out);
	return rc;
}

static void a_refusal(void **state)
{
	char text[2048];

	(void)state;
	assert_int_equal(explain_text(7, text, sizeof(text)), 0);
	assert_string_equal(text,
		"verdict 7 of t2, session 3\n"
		"outbound message of type chat, id m\"id\":8,\n"
		"  from u@a.example\n"
		"  to   v@b.example?[31m\n"
		"refused by content.forbidden-words: a word\n"
		"[peer *.example], [profile p]\n"
		"  shape      found nothing\n"
		"  features   rewritten by features.nick\n"
		"  presence   would have: dropped by presence.level\n"
		"  content    refused by content.forbidden-words\n"
		"  and no stage after these was asked\n"
		"changed: nick taken out\n"
		"decided by: outbound-forbidden-words of [profile p]\n"
		"the sender was told: queued\n"
		"later: reverse\n"
		"(1 older of this number, from before the guard was started again)\n");
}

static void others(void **state)
{
	char text[2048];

	(void)state;
	assert_int_equal(explain_text(9, text, sizeof(text)), 0);
	assert_non_null(strstr(text, "would have been refused by features.unknown: who knows\n"));
	assert_non_null(strstr(text, "decided by: inbound-unknown of [profile q]\n"));
	assert_int_equal(explain_text(10, text, sizeof(text)), 0);
	assert_non_null(strstr(text, "  after them dropped by rates.user\n"));
	assert_non_null(strstr(text, "decided by: inbound-user-rate and inbound-user-bytes of [profile q]\n"));
	assert_int_equal(explain_text(8, text, sizeof(text)), -ENOENT);
	assert_int_equal(explain_text(17, text, sizeof(text)), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_refusal),
		cmocka_unit_test(others),
	};

	for (char *c = audit; *c; c++)
		*c = *c == '\'' ? '"' : *c;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
