/* Rates of a profile: "10/s burst 50", "64K/s burst 512K". */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "conf_table.h"

#define FAULT(v, format, ...) conf_fault((v)->faults, (v)->line, "%s: " format, (v)->key->name, ##__VA_ARGS__)

static const char *skip_blanks(const char *text)
{
	return text + strspn(text, " \t");
}

/* Behind the number, or NULL. `units`: "KMG" or "". */
static const char *take_amount(const char *text, const char *units, const struct conf_key *key, uint32_t *amount)
{
	if (!isdigit((unsigned char)*text) || strspn(text, "0123456789") > 10)
		return NULL;
	char *end;
	unsigned long long number = strtoull(text, &end, 10);
	const char *unit = *end ? strchr(units, *end) : NULL;
	if (unit) {
		number <<= 10 * (unit - units + 1);
		end++;
	}
	if (number < key->min || number > key->max)
		return NULL;
	*amount = (uint32_t)number;
	return end;
}

static const char *take_period(const char *text, uint32_t *seconds)
{
	static const struct {
		char name;
		uint32_t seconds;
	} periods[] = {{'s', 1}, {'m', 60}, {'h', 3600}};
	for (unsigned i = 0; i < sizeof(periods) / sizeof(*periods); i++)
		if (text[0] == '/' && text[1] == periods[i].name) {
			*seconds = periods[i].seconds;
			return text + 2;
		}
	return NULL;
}

/* Without a burst: what is due in one period. */
static bool parse_rate(const char *text, const char *units, const struct conf_key *key, struct conf_rate *rate)
{
	static const char burst[] = "burst";
	const char *at = take_amount(text, units, key, &rate->count);
	at = at ? take_period(at, &rate->seconds) : NULL;
	if (!at)
		return false;
	rate->burst = rate->count;
	const char *word = skip_blanks(at);
	if (!*word)
		return true;
	if (word == at || strncmp(word, burst, strlen(burst)))
		return false;
	const char *number = skip_blanks(word + strlen(burst));
	at = number > word + strlen(burst) ? take_amount(number, units, key, &rate->burst) : NULL;
	return at && !*skip_blanks(at);
}

static void set_any_rate(const struct conf_value *v, struct conf_rate *rate, const char *units, const char *hint)
{
	struct conf_rate parsed;
	*rate = (struct conf_rate){0, 0, 0};
	if (!*v->text)
		return;
	if (parse_rate(v->text, units, v->key, &parsed))
		*rate = parsed;
	else
		FAULT(v, "\"%.60s\" is not a rate (hint: %s; numbers from %lu to %lu)", v->text, hint, v->key->min, v->key->max);
}

void set_rate(const struct conf_value *v, void *field)
{
	set_any_rate(v, field, "", "10/s burst 50, or /m, /h");
}

void set_byte_rate(const struct conf_value *v, void *field)
{
	set_any_rate(v, field, "KMG", "64K/s burst 512K, or /m, /h");
}

void set_over_rate(const struct conf_value *v, void *field)
{
	static const char *const words[] = {[OVER_REFUSE] = "refuse", [OVER_DROP] = "drop", [OVER_WAIT] = "wait"};
	for (unsigned i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!strcmp(words[i], v->text)) {
			*(enum conf_over *)field = (enum conf_over)i;
			return;
		}
	FAULT(v, "unknown value \"%s\" (hint: refuse, drop, wait)", v->text);
}
