/*
 * The tree of a stanza: elements, attributes and text in one arena, so that a stanza is one allocation to grow and one to
 * free. The parser builds it, policy judges and edits it, the serialiser writes it out afresh.
 * Names and namespaces are NUL-terminated UTF-8 without U+0000; namespaces are full URIs, never prefixes.
 */
#ifndef POLICY_ELEMENT_H
#define POLICY_ELEMENT_H

#include <stdbool.h>
#include <stddef.h>

struct arena;                          /* bump allocator with a hard maximum */

struct arena *arena_new(size_t max_bytes) __attribute__((warn_unused_result));
void arena_free(struct arena *arena);
void arena_allow(struct arena *arena, size_t bytes) __attribute__((nonnull));  /* raises the maximum, for an answer */
bool arena_is_full(const struct arena *arena) __attribute__((nonnull));        /* something was beyond the maximum */
/* These return NULL when the maximum is reached. */
void *arena_alloc(struct arena *arena, size_t bytes) __attribute__((warn_unused_result, nonnull));
char *arena_strdup(struct arena *arena, const char *s) __attribute__((warn_unused_result, nonnull));
char *arena_strndup(struct arena *arena, const char *s, size_t n) __attribute__((warn_unused_result, nonnull));

struct attribute {
	struct attribute *next;
	const char *ns;                /* "" for an unqualified attribute */
	const char *name;
	const char *value;
};

/* A node is an element (name set) or a run of text (name NULL). */
struct node {
	struct node *next;
	const char *name, *ns;         /* of an element */
	const char *text;              /* of text, with its length */
	size_t text_len;
	struct attribute *attributes;
	struct node *first, *last;     /* children of an element */
	struct node *parent;
};

struct stanza {
	struct arena *arena;
	struct node *root;
};

#define NS_SERVER "jabber:server"
#define NS_CLIENT "jabber:client"      /* of what is forwarded */
#define NS_STREAMS "http://etherx.jabber.org/streams"
#define NS_STANZAS "urn:ietf:params:xml:ns:xmpp-stanzas"
#define NS_STREAM_ERRORS "urn:ietf:params:xml:ns:xmpp-streams"
#define NS_TLS "urn:ietf:params:xml:ns:xmpp-tls"
#define NS_SASL "urn:ietf:params:xml:ns:xmpp-sasl"
#define NS_DIALBACK "jabber:server:dialback"
#define NS_DIALBACK_FEATURE "urn:xmpp:features:dialback"
#define NS_BIDI "urn:xmpp:bidi"
#define NS_BIDI_FEATURE "urn:xmpp:features:bidi"
#define NS_SM2 "urn:xmpp:sm:2"
#define NS_SM3 "urn:xmpp:sm:3"
#define NS_IBB "http://jabber.org/protocol/ibb"
#define NS_LIMITS "urn:xmpp:stream-limits:0"
#define NS_XML "http://www.w3.org/XML/1998/namespace"

/* Looking. `ns` NULL matches any namespace. */
bool node_is(const struct node *node, const char *ns, const char *name) __attribute__((nonnull(1, 3)));
struct node *node_child(const struct node *node, const char *ns, const char *name) __attribute__((nonnull(1, 3)));
/* The value of an unqualified attribute; NULL: there is none. */
const char *node_attribute(const struct node *node, const char *name) __attribute__((nonnull));
const char *node_language(const struct node *node) __attribute__((nonnull));   /* xml:lang; NULL: there is none */
bool node_has_elements(const struct node *node) __attribute__((nonnull));      /* directly inside */
size_t node_text_len(const struct node *node) __attribute__((nonnull));        /* of all text directly inside */
char *node_text(const struct node *node, struct arena *arena) __attribute__((nonnull));        /* joined; NULL: no room */

/* Building and editing: 0 or -ENOMEM (arena full); a new node or NULL. Strings are copied into the arena. */
struct node *node_new(struct arena *arena, const char *ns, const char *name) __attribute__((warn_unused_result, nonnull));
void node_append(struct node *parent, struct node *child) __attribute__((nonnull));
int node_add_text(struct arena *arena, struct node *parent, const char *text, size_t len)
	__attribute__((warn_unused_result, nonnull));
int node_set_attribute(struct arena *arena, struct node *node, const char *name, const char *value)
	__attribute__((warn_unused_result, nonnull));
/* The same in a tree of its own, which shares only texts that nobody writes to; NULL: no room. */
struct node *node_copy(struct arena *arena, const struct node *node) __attribute__((warn_unused_result, nonnull));
void node_remove(struct node *node) __attribute__((nonnull));          /* from its parent */

#endif
