/* Reads the corpus; see smuggling.h. */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/smuggling.h"

enum { BYTES_MAX = 4 << 20 };

#define HEADER "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' from='%s' to='%s' " \
	"version='1.0'>"

struct reading {
	const char *from, *to, *file;
	unsigned line, count;
};

static void must(const struct reading *r, bool fact, const char *what)
{
	if (fact)
		return;
	fprintf(stderr, "%s:%u: %s\n", r->file, r->line, what);
	abort();
}

static void put(const struct reading *r, struct buf *out, const char *bytes, size_t len)
{
	must(r, !buf_put(out, bytes, len), "too long");
}

/* One byte behind a backslash; where it ends. */
static const char *escaped(const struct reading *r, struct buf *out, const char *at)
{
	static const char names[] = "nrt\\{", bytes[] = "\n\r\t\\{";
	const char *known = *at ? strchr(names, *at) : NULL;
	unsigned number = 0;
	char byte;

	if (known) {
		put(r, out, bytes + (known - names), 1);
		return at + 1;
	}
	must(r, *at == 'x' && sscanf(at + 1, "%2x", &number) == 1, "unknown escape");
	byte = (char)number;
	put(r, out, &byte, 1);
	return at + 3;
}

/* "text*N" */
static void repeat(const struct reading *r, struct buf *out, const char *inside, size_t len)
{
	const char *star = memrchr(inside, '*', len);
	long times = star ? strtol(star + 1, NULL, 10) : 0;

	must(r, times > 0, "unknown word in braces");
	for (long i = 0; i < times; i++)
		for (const char *at = inside; at < star;) {
			if (*at == '\\') {
				at = escaped(r, out, at + 1);
				continue;
			}
			if (*at == '#')
				must(r, !buf_printf(out, "%ld", i), "too long");
			else
				put(r, out, at, 1);
			at++;
		}
}

static const char *domain(const char *jid)
{
	return strchr(jid, '@') + 1;
}

static void word(const struct reading *r, struct buf *out, const char *inside, size_t len)
{
	if (len == 2 && !memcmp(inside, "/M", 2))
		must(r, !buf_printf(out, "</message>"), "too long");
	else if (len > 1)
		repeat(r, out, inside, len);
	else if (*inside == 'a' || *inside == 'b')
		must(r, !buf_printf(out, "%s", *inside == 'a' ? r->from : r->to), "too long");
	else if (*inside == 'A' || *inside == 'B')
		must(r, !buf_printf(out, "%s", domain(*inside == 'A' ? r->from : r->to)), "too long");
	else if (*inside == 'M')
		must(r, !buf_printf(out, "<message from='%s' to='%s' type='chat'>", r->from, r->to), "too long");
	else
		must(r, *inside == 'H' && !buf_printf(out, HEADER, domain(r->from), domain(r->to)), "unknown word");
}

static void text(const struct reading *r, struct buf *out, const char *at)
{
	while (*at) {
		const char *end = *at == '{' ? strchr(at, '}') : NULL;

		if (end) {
			word(r, out, at + 1, (size_t)(end - at - 1));
			at = end + 1;
		} else if (*at == '\\') {
			at = escaped(r, out, at + 1);
		} else {
			put(r, out, at++, 1);
		}
	}
}

static void begin(struct reading *r, struct smuggled *entry, const char *name)
{
	const char *slash = strrchr(r->file, '/'), *file = slash ? slash + 1 : r->file;

	*entry = (struct smuggled){.goes_on = true, .header = !strcmp(file, "header.txt")};
	snprintf(entry->name, sizeof(entry->name), "%s: %s", file, name);
	buf_init(&entry->sent, BYTES_MAX);
	buf_init(&entry->arrives, BYTES_MAX);
	r->count++;
}

static void read_line(const struct reading *r, struct smuggled *entry, const char *line)
{
	if (!strncmp(line, "=> ", 3)) {
		text(r, &entry->arrives, line + 3);
	} else if (!strncmp(line, "=! ", 3)) {
		snprintf(entry->condition, sizeof(entry->condition), "%s", line + 3);
		entry->goes_on = false;
	} else if (!strcmp(line, "=.")) {
		entry->goes_on = false;
	} else if (strcmp(line, "=-")) {
		must(r, *line != '=', "unknown outcome");
		text(r, &entry->sent, line);
	}
}

static void end(const struct reading *r, struct smuggled *entry, void (*take)(void *owner, const struct smuggled *entry),
	void *owner)
{
	if (!*entry->name)
		return;
	must(r, buf_len(&entry->sent), "an entry that sends nothing");
	put(r, &entry->sent, "", 1);
	put(r, &entry->arrives, "", 1);
	entry->sent.len--;
	entry->arrives.len--;
	take(owner, entry);
	buf_fini(&entry->sent);
	buf_fini(&entry->arrives);
	*entry->name = '\0';
}

static void read_file(struct reading *r, void (*take)(void *owner, const struct smuggled *entry), void *owner)
{
	FILE *in = fopen(r->file, "r");
	struct smuggled entry = {.name = ""};
	char *line = NULL;
	size_t size = 0;

	r->line = 0;
	must(r, in, "cannot be read");
	while (getline(&line, &size, in) > 0) {
		r->line++;
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "== ", 3)) {
			end(r, &entry, take, owner);
			begin(r, &entry, line + 3);
		} else if (*line && *line != '#') {
			must(r, *entry.name, "a line before the first name");
			read_line(r, &entry, line);
		}
	}
	end(r, &entry, take, owner);
	free(line);
	fclose(in);
}

unsigned smuggling_each(const char *from, const char *to, void (*take)(void *owner, const struct smuggled *entry),
	void *owner)
{
	struct reading reading = {.from = from, .to = to, .file = "tests/smuggling"};
	glob_t files;

	must(&reading, !glob("tests/smuggling/*.txt", 0, NULL, &files), "no corpus here");
	for (size_t i = 0; i < files.gl_pathc; i++) {
		reading.file = files.gl_pathv[i];
		read_file(&reading, take, owner);
	}
	globfree(&files);
	return reading.count;
}
