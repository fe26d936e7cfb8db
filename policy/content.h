/* What a profile says of text, in one direction, ready to look with. */
#ifndef POLICY_CONTENT_H
#define POLICY_CONTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <unictype.h>

#include "names.h"
#include "patterns.h"
#include "policy.h"
#include "words.h"

struct content_rules {
	bool looks;                    /* there is anything to look for */
	struct words *forbidden;       /* NULL: none */
	struct patterns *patterns;     /* NULL: none */
	bool redacts;
	unsigned max_body;             /* characters; 0: any */
	bool has_urls;
	const char *const *url_schemes;        /* lower case; none: any */
	struct names url_hosts, forbidden_hosts;       /* hosts: empty: any */
	const char *const *languages;          /* none: any */
	const uc_script_t **scripts;           /* NULL: any */
	const uc_script_t *common, *inherited;
};

/* `forbidden` and `rules` are copied. 0, -ENOMEM, or -EINVAL, which `why` tells; content_fini() in any case. */
int content_init(struct content_rules *content, const char *const *forbidden, const struct policy_content_rules *rules,
	char *why, size_t size) __attribute__((warn_unused_result, nonnull(1, 3, 4)));
void content_fini(struct content_rules *content) __attribute__((nonnull));

#endif
