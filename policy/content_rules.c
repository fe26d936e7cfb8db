/* Rules of content, from what a configuration says; see content.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "content.h"
#include "stage.h"

static int __attribute__((format(printf, 3, 4))) fault(char *why, size_t size, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(why, size, format, ap);
	va_end(ap);
	return -EINVAL;
}

static bool is_empty(const char *const *list)
{
	return !list || !*list;
}

static int init_words(struct content_rules *content, const char *const *list, char *why, size_t size)
{
	if (is_empty(list))
		return 0;
	content->forbidden = words_new(list);
	if (content->forbidden)
		return 0;
	return errno == EINVAL ? fault(why, size, "forbidden-words: one that nobody can see (hint: letters)") : -errno;
}

static int init_patterns(struct content_rules *content, const char *const *list, char *why, size_t size)
{
	char what[160];

	if (is_empty(list))
		return 0;
	content->patterns = patterns_new(list, what, sizeof(what));
	if (content->patterns)
		return 0;
	return errno == EINVAL ? fault(why, size, "forbidden-patterns: %s (hint: an expression of PCRE2)", what) : -errno;
}

/* A host that is there twice (of a peer, and of its profile) is there. */
static int init_hosts(struct names *names, const char *key, const char *const *list, char *why, size_t size)
{
	for (; list && *list; list++) {
		int err = names_add(names, *list, 0, false);

		if (err == -EINVAL)
			return fault(why, size, "%s: \"%.60s\" is no host (hint: www.b.example, *.b.example)", key, *list);
		if (err)
			return err;
	}
	(void)!names_sort(names);
	return 0;
}

static int init_scripts(struct content_rules *content, const char *const *list, char *why, size_t size)
{
	size_t count = 0;

	if (is_empty(list))
		return 0;
	while (list[count])
		count++;
	content->scripts = calloc(count + 1, sizeof(*content->scripts));
	content->common = uc_script_byname("Common");
	content->inherited = uc_script_byname("Inherited");
	if (!content->scripts || !content->common || !content->inherited)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		content->scripts[i] = uc_script_byname(list[i]);
		if (!content->scripts[i])
			return fault(why, size, "scripts: \"%.40s\" is none (hint: as Unicode names them: Latin, Greek, Cyrillic)",
				list[i]);
	}
	return 0;
}

int content_init(struct content_rules *content, const char *const *forbidden, const struct policy_content_rules *rules,
	char *why, size_t size)
{
	int err = init_words(content, forbidden, why, size);

	content->redacts = rules->redacts;
	content->max_body = rules->max_body;
	content->url_schemes = types_copy(rules->url_schemes);
	content->languages = types_copy(rules->languages);
	if (!content->url_schemes || !content->languages)
		return -ENOMEM;
	if (!err)
		err = init_patterns(content, rules->patterns, why, size);
	if (!err)
		err = init_hosts(&content->url_hosts, "url-hosts", rules->url_hosts, why, size);
	if (!err)
		err = init_hosts(&content->forbidden_hosts, "forbidden-url-hosts", rules->forbidden_hosts, why, size);
	if (!err)
		err = init_scripts(content, rules->scripts, why, size);
	content->has_urls = *content->url_schemes || content->url_hosts.count || content->forbidden_hosts.count;
	content->looks = content->forbidden || content->patterns || content->max_body || content->has_urls ||
		*content->languages || content->scripts;
	return err;
}

void content_fini(struct content_rules *content)
{
	words_free(content->forbidden);
	patterns_free(content->patterns);
	names_fini(&content->url_hosts);
	names_fini(&content->forbidden_hosts);
	free((void *)content->url_schemes);
	free((void *)content->languages);
	free(content->scripts);
}
