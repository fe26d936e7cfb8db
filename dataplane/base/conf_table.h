/* The table of keys, and how text becomes a value. Private to conf*.c. */
#ifndef BASE_CONF_TABLE_H
#define BASE_CONF_TABLE_H

#include "conf.h"
#include "conf_ini.h"

/* One value to be set. A setter writes it into `field` or adds a fault. */
struct conf_value {
	struct conf_faults *faults;
	struct conf *conf;
	const struct conf_key *key;
	const char *text;
	int line;
};

struct conf_key {
	const char *section;           /* those that conf_sections has an example of may be there many times, with a name */
	const char *name;
	void (*set)(const struct conf_value *v, void *field);
	size_t offset;                 /* in struct conf, or in the struct of a section that may be there many times */
	unsigned long min, max;        /* of numbers */
	bool mandatory;
	const char *value;             /* its default; of a mandatory key an example */
	const char *help;
};

struct conf_section {
	const char *name;
	const char *example;           /* "profile default": a section with a name; NULL: there is one of it */
	const char *help;
	bool is_optional;              /* commented out in the annotated file: most do without */
	bool is_policy;                /* may change while traffic runs */
};

extern const struct conf_section conf_sections[];      /* ended by a row without name */
extern const struct conf_key conf_keys[];              /* ended by a row without name */

void set_name(const struct conf_value *v, void *field);
void set_number(const struct conf_value *v, void *field);
void set_ports(const struct conf_value *v, void *field);
void set_pins(const struct conf_value *v, void *field);
void set_path(const struct conf_value *v, void *field);
void set_optional_path(const struct conf_value *v, void *field);
void set_paths(const struct conf_value *v, void *field);       /* struct conf_list */
void set_crl_check(const struct conf_value *v, void *field);
void set_key_place(const struct conf_value *v, void *field);
void set_leaf_key(const struct conf_value *v, void *field);
void set_features(const struct conf_value *v, void *field);
void set_user(const struct conf_value *v, void *field);
void set_cpus(const struct conf_value *v, void *field);
void set_domains(const struct conf_value *v, void *field);
void set_device(const struct conf_value *v, void *field);
void set_presence(const struct conf_value *v, void *field);
void set_scanner(const struct conf_value *v, void *field);
void set_rate(const struct conf_value *v, void *field);        /* struct conf_rate; the key's min and max: of its numbers */
void set_byte_rate(const struct conf_value *v, void *field);   /* the same, with K, M and G */
void set_hours(const struct conf_value *v, void *field);       /* struct conf_hours */
void set_message_types(const struct conf_value *v, void *field);       /* enum conf_message_fate[MESSAGE_TYPES] */
void set_over_rate(const struct conf_value *v, void *field);
void set_binaries(const struct conf_value *v, void *field);
void set_list(const struct conf_value *v, void *field);        /* struct conf_list */
void set_profile(const struct conf_value *v, void *field);
void set_shadow(const struct conf_value *v, void *field);
void set_elsewhere(const struct conf_value *v, void *field);
void set_answer(const struct conf_value *v, void *field);
void set_authentication(const struct conf_value *v, void *field);
void set_on_failure(const struct conf_value *v, void *field);
void set_tls(const struct conf_value *v, void *field);
void set_yes_no(const struct conf_value *v, void *field);

/*
 * Calls `add` for each item of a value that is a list: separated by commas, and by blanks too unless items may hold them.
 * An item @FILE stands for those in that file, one a line. What `add` gets as v tells where the item stands.
 */
typedef void (*conf_item_fn)(const struct conf_value *v, const char *item, void *owner);
void each_item(const struct conf_value *v, bool blanks_separate, conf_item_fn add, void *owner);

void set_users(const struct conf_value *v, void *field);       /* struct conf_list */
void set_way(const struct conf_value *v, void *field);
void set_unknown(const struct conf_value *v, void *field);
void set_on_match(const struct conf_value *v, void *field);
void set_our_domains(const struct conf_value *v, void *field); /* struct conf_list */
void set_document(const struct conf_value *v, void *field);    /* struct conf_list of a path and what is in the file */
void set_documents(const struct conf_value *v, void *field);   /* the same of any number of them */
void set_labels(const struct conf_value *v, void *field);
void set_original_label(const struct conf_value *v, void *field);
void set_on_marking(const struct conf_value *v, void *field);
void set_label_catalogs(const struct conf_value *v, void *field);
void set_obsolete(const struct conf_value *v, void *field);
void set_ambiguous(const struct conf_value *v, void *field);
void set_label_encoding(const struct conf_value *v, void *field);
void set_label_text(const struct conf_value *v, void *field);  /* char[CONF_LABEL_TEXT_BYTES] */

/* Which of the words (ended by NULL) it is; -1 after a fault. */
int enumerated(const struct conf_value *v, const char *const *words);

/* Adds bytes to the texts of a configuration; false: no memory. */
bool texts_add(struct conf *conf, const char *text, size_t n);

/* Adds an item to a struct conf_list, which has to be the newest of all. */
void list_add(const struct conf_value *v, const char *item, void *list);

/* Next item of a list as above, without files. NULL at the end. */
char *next_item(char **rest, bool blanks_separate);

/*
 * Keys of a profile that may stand in a [peer], to make it tighter than its profile; and doing so, with peers in the order
 * of their sections: those that have such a key get a profile of their own, after all that have a name.
 */
bool conf_may_tighten(const char *key);
void conf_tighten_peers(struct conf *conf, const struct ini *ini, struct conf_faults *faults);

/* Is every minute of the one list of the other? An empty one is always. */
bool conf_hours_within(const struct conf_hours *hours, const struct conf_hours *wider);

/* A path, relative to the folder of the file that it stands in. False: too long. */
bool conf_path(const struct conf_value *v, const char *name, char path[PATH_MAX]);

/* Copies text with its NUL, if there is room for it. */
bool put_text(char *to, size_t size, const char *text);

/* NULL, or why this is neither DOMAIN nor *.DOMAIN. */
const char *pattern_fault(const char *pattern);

/* NULL, or why this is not a domain name in lower-case A-labels (RFC 1123, RFC 5890). */
const char *domain_fault(const char *domain);

/* Of `candidates` (ended by NULL) the one nearest to `word`, if it could be what was meant; else NULL. */
const char *nearest_word(const char *word, const char *const *candidates);

#endif
