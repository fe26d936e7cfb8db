/*
 * Files of cases, as somebody hostile may have recorded or written them. Whatever they are: each case that is handed on
 * is a stanza with a direction and domains in their own form, lines never go back, and a part of a file gives a part of
 * its cases.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "control/trial/cases.h"
#include "control/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct log {
	unsigned cases, line;
	struct buf text;
};

static void must(bool fact, const char *what)
{
	if (fact)
		return;
	fprintf(stderr, "not true: %s\n", what);
	abort();
}

static void check_domain(const char *domain)
{
	char again[CASES_DOMAIN_BYTES];
	must(!*domain || (!jid_domain(domain, again, sizeof(again)) && !strcmp(domain, again)), "a domain in its own form");
}

static void check_stanza(const struct node *root)
{
	must(!root->parent && !root->next && !strcmp(root->ns, NS_SERVER), "a tree by itself, of jabber:server");
	must(!strcmp(root->name, "message") || !strcmp(root->name, "presence") || !strcmp(root->name, "iq"), "a stanza");
}

static int take(void *owner, struct test_case *one)
{
	struct log *log = owner;
	must(one->line >= log->line, "lines in their order");
	must(one->direction < POLICY_DIRECTIONS && one->expected.action <= POLICY_CLOSE, "what there is");
	must(!one->expected.rule || one->expected.is_given, "a rule of an action");
	check_domain(one->from);
	check_domain(one->to);
	check_stanza(one->stanza.root);
	if (one->expected.becomes)
		check_stanza(one->expected.becomes);
	log->line = one->line;
	log->cases++;
	must(!buf_printf(&log->text, "%u %s>%s ", one->line, one->from, one->to), "room");
	(void)!xml_write_node(&log->text, one->stanza.root);
	return 0;
}

static int read_part(struct log *log, const uint8_t *data, size_t size)
{
	struct cases_fault fault;
	int fd = memfd_create("cases", MFD_CLOEXEC);
	*log = (struct log){0};
	buf_init(&log->text, 64 << 20);
	must(fd >= 0 && write(fd, data, size) == (ssize_t)size && !lseek(fd, 0, SEEK_SET), "a file");
	int rc = cases_read(fd, take, log, &fault);
	must(!rc || (*fault.text && fault.line >= log->line), "a fault with its line, after the cases before it");
	close(fd);
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct log whole, part;
	int rc = read_part(&whole, data, size);
	must(!rc || rc < 0, "nobody ended it");
	read_part(&part, data, size / 2);
	must(part.cases <= whole.cases, "no case more in a part");
	must(!part.cases || !memcmp(buf_head(&part.text), buf_head(&whole.text), buf_len(&part.text)), "the same cases");
	buf_fini(&whole.text);
	buf_fini(&part.text);
	return 0;
}
