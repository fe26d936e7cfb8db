/*
 * Trees that no parser made, as policy may leave them: written, read back and written again. What is read is the same tree,
 * and what is written is the same bytes. The input says step by step how the tree grows.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/xml_harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	INPUT_MAX = 8192,
	DEPTH = 24,                    /* with the next, below the limit of namespaces in force at one place */
	FOREIGN = 3,                   /* attributes of other namespaces, of one element */
	ATTRIBUTES = 16,
	WORD = 40,
};

static const char *const namespaces[] = {NS_SERVER, "", "urn:x", "urn:y", "jabber:client", NS_DIALBACK,
	"http://jabber.org/protocol/muc#user", "it's?a=%20;b", "vcard-temp"};
enum { NAMESPACES = sizeof(namespaces) / sizeof(*namespaces) };

struct growth {
	const uint8_t *data;
	size_t left;
	struct arena *arena;
	struct node *root, *at;
	unsigned depth;
};

static void must(bool fact, const char *what)
{
	if (fact)
		return;
	fprintf(stderr, "not true: %s\n", what);
	abort();
}

static uint8_t next(struct growth *g)
{
	if (!g->left)
		return 0;
	g->left--;
	return *g->data++;
}

/* A character that XML has, in UTF-8; its bytes. */
static size_t character(struct growth *g, char *out)
{
	uint32_t first = next(g), c = first;

	if (first >= 0x80)
		c = (first & 0x1f) << 16 | (uint32_t)next(g) << 8 | next(g);
	if ((c < ' ' && c != '\t' && c != '\n' && c != '\r') || (c >= 0xd800 && c <= 0xdfff) || (c >= 0xfdd0 && c <= 0xfdef) ||
		(c & 0xfffe) == 0xfffe || c > 0x10ffff)
		c = 0xfffd;
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

static size_t text(struct growth *g, char out[4 * UINT8_MAX + 1])
{
	size_t len = 0;

	for (unsigned letters = next(g); letters && g->left; letters--)
		len += character(g, out + len);
	out[len] = '\0';
	return len;
}

static const char *name(struct growth *g)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789-.";
	static char made[WORD];
	unsigned len = 1 + next(g) % (WORD - 1);

	for (unsigned i = 0; i < len; i++)
		made[i] = letters[next(g) % (i ? sizeof(letters) - 1 : 53)];
	made[len] = '\0';
	return made;
}

static void grow_element(struct growth *g)
{
	const char *ns = namespaces[next(g) % NAMESPACES];
	struct node *child = node_new(g->arena, ns, name(g));

	must(child, "room for an element");
	node_append(g->at, child);
	if (g->depth == DEPTH)
		return;
	g->at = child;
	g->depth++;
}

/* Two runs of text beside each other would be read as one. */
static void grow_text(struct growth *g)
{
	char made[4 * UINT8_MAX + 1];
	size_t len = text(g, made);

	if (len && (!g->at->last || g->at->last->name))
		must(!node_add_text(g->arena, g->at, made, len), "room for text");
}

static bool may_have(const struct node *node, const char *ns, const char *local)
{
	unsigned all = 0, foreign = 0;

	for (const struct attribute *a = node->attributes; a; a = a->next) {
		if (!strcmp(a->ns, ns) && !strcmp(a->name, local))
			return false;
		all++;
		foreign += *a->ns && strcmp(a->ns, NS_XML);
	}
	return all < ATTRIBUTES && (!*ns || foreign < FOREIGN) && (*ns || strcmp(local, "xmlns"));
}

static void grow_attribute(struct growth *g)
{
	unsigned kind = next(g) % (NAMESPACES + 8);
	const char *ns = kind < NAMESPACES ? namespaces[kind] : kind == NAMESPACES ? NS_XML : "";
	struct attribute *a = arena_alloc(g->arena, sizeof(*a));
	char value[4 * UINT8_MAX + 1];
	const char *local = name(g);

	must(a, "room for an attribute");
	if (!may_have(g->at, ns, local))
		return;
	*a = (struct attribute){.next = g->at->attributes, .ns = ns, .name = arena_strdup(g->arena, local)};
	text(g, value);
	a->value = arena_strdup(g->arena, value);
	must(a->name && a->value, "room for an attribute");
	g->at->attributes = a;
}

static void grow(struct growth *g)
{
	while (g->left)
		switch (next(g) % 8) {
		case 0:
		case 1:
			grow_element(g);
			break;
		case 2:
		case 3:
			grow_text(g);
			break;
		case 4:
		case 5:
			grow_attribute(g);
			break;
		default:
			if (g->at->parent) {
				g->at = g->at->parent;
				g->depth--;
			}
		}
}

static void read_back(struct stream_log *log, const struct buf *bytes)
{
	struct xml_parser *parser = xml_parser_new(&stream_log_handlers, log);

	must(parser, "a parser");
	xml_parser_authenticated(parser, XML_STANZA_BYTES);
	must(stream_feed(parser, STREAM_HEADER, strlen(STREAM_HEADER), 0) > 0, "the header is read");
	must(stream_feed(parser, buf_head(bytes), buf_len(bytes), 0) == (long)buf_len(bytes), "what is written is read");
	must(log->elements == 1, "as one element");
	xml_parser_free(parser);
}

static bool same_bytes(const struct buf *a, const struct buf *b)
{
	return buf_len(a) == buf_len(b) && !memcmp(buf_head(a), buf_head(b), buf_len(a));
}

static void round_trip(const struct node *root)
{
	struct buf tree, bytes, tree_again, bytes_again;
	struct stream_log log;

	buf_init(&tree, 64 << 20);
	buf_init(&bytes, 64 << 20);
	buf_init(&tree_again, 64 << 20);
	buf_init(&bytes_again, 64 << 20);
	stream_log_init(&log);
	log.quiet = true;
	log.trees = &tree_again;
	log.written = &bytes_again;
	tree_write(&tree, root, "");
	must(!xml_write_node(&bytes, root), "it is written");
	read_back(&log, &bytes);
	must(same_bytes(&tree, &tree_again), "the same tree");
	must(same_bytes(&bytes, &bytes_again), "the same bytes");
	stream_log_fini(&log);
	buf_fini(&tree);
	buf_fini(&bytes);
	buf_fini(&tree_again);
	buf_fini(&bytes_again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct {
		const char *ns, *name;
	} roots[] = {{NS_SERVER, "message"}, {NS_SERVER, "iq"}, {NS_STREAMS, "error"}, {NS_DIALBACK, "result"},
		{"urn:x", "x"}, {"", "x"}};
	struct growth g = {.data = data, .left = size};
	unsigned root;

	if (size > INPUT_MAX)
		return 0;
	root = next(&g) % (sizeof(roots) / sizeof(*roots));
	g.arena = arena_new(64 << 20);
	must(g.arena, "an arena");
	g.root = g.at = node_new(g.arena, roots[root].ns, roots[root].name);
	must(g.root, "a root");
	grow(&g);
	round_trip(g.root);
	arena_free(g.arena);
	return 0;
}
