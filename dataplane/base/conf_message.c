/* What becomes of messages by their type: "headline=refuse, normal=chat". */
#include <string.h>

#include "conf_table.h"

#define FAULT(v, format, ...) conf_fault((v)->faults, (v)->line, "%s: " format, (v)->key->name, ##__VA_ARGS__)

static const char *const types[MESSAGE_TYPES] = {
	[MESSAGE_NORMAL] = "normal",
	[MESSAGE_CHAT] = "chat",
	[MESSAGE_HEADLINE] = "headline",
	[MESSAGE_GROUPCHAT] = "groupchat",
};

static const char *const fates[MESSAGE_FATES] = {
	[MESSAGE_REFUSED] = "refuse",
	[MESSAGE_TO_NORMAL] = "normal",
	[MESSAGE_TO_CHAT] = "chat",
	[MESSAGE_TO_HEADLINE] = "headline",
};

/* `count` if it is none of them. The words are not ended by a NUL. */
static unsigned find_word(const char *const *words, unsigned count, const char *word, size_t n)
{
	unsigned i = 0;
	while (i < count && !(words[i] && strlen(words[i]) == n && !memcmp(words[i], word, n)))
		i++;
	return i;
}

/* What a room says is for the room: a client would take another type for a private message, and answer it as one. */
static bool may_become(unsigned type, unsigned fate)
{
	return fate == MESSAGE_REFUSED || (type != MESSAGE_GROUPCHAT && strcmp(types[type], fates[fate]) != 0);
}

static void add_type(const struct conf_value *v, const char *item, void *owner)
{
	enum conf_message_fate *by_type = owner;
	const char *equals = strchrnul(item, '='), *end = equals, *word = equals + (*equals == '=');
	while (end > item && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	word += strspn(word, " \t");
	unsigned type = find_word(types, MESSAGE_TYPES, item, (size_t)(end - item));
	unsigned fate = find_word(fates, MESSAGE_FATES, word, strlen(word));
	if (type == MESSAGE_TYPES || fate == MESSAGE_FATES || !may_become(type, fate))
		FAULT(v, "\"%.60s\" cannot be (hint: groupchat=refuse, or normal, chat and headline = refuse or another of the "
			 "three)", item);
	else if (by_type[type] != MESSAGE_PASSES)
		FAULT(v, "%s is there twice (hint: once)", types[type]);
	else
		by_type[type] = (enum conf_message_fate)fate;
}

void set_message_types(const struct conf_value *v, void *field)
{
	memset(field, 0, sizeof(enum conf_message_fate[MESSAGE_TYPES]));
	each_item(v, false, add_type, field);
}
