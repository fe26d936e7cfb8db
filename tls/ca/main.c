/*
 * sallyport-ca, which `sallyport ca` runs: makes, shows, hands out and renews the guard CAs that a configuration names.
 * It works on files (and a key in a token), not on a guard that runs: that one reads its CAs when it is started.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "authority.h"
#include "dataplane/base/conf.h"
#include "dataplane/base/log.h"
#include "file.h"
#include "tls/keyd/private_key.h"

enum { EXIT_FAULT = 1, EXIT_USAGE = 2, FINGERPRINT_BYTES = 32 };

/* What it is asked to do. */
struct order {
	const struct conf *conf;
	bool wanted[WIRES];
	bool new_key;
};

static const char *const sides[WIRES] = {[WIRE_INSIDE] = "inside", [WIRE_OUTSIDE] = "outside"};

static const char usage_text[] =
	"usage: sallyport ca [-c FILE] init [inside|outside]              makes what is not there yet\n"
	"       sallyport ca [-c FILE] show [inside|outside]              what a side has to trust; is all well\n"
	"       sallyport ca [-c FILE] export inside|outside              the certificate, to be imported there\n"
	"       sallyport ca [-c FILE] renew inside|outside [--new-key]   another certificate; another key, too\n";

static _Noreturn void usage(void)
{
	fputs(usage_text, stderr);
	exit(EXIT_USAGE);
}

static int complain(const char *path, int rc)
{
	fprintf(stderr, "sallyport: %s: %s%s\n", path, strerror(-rc),
		rc == -EEXIST ? " (hint: nothing was changed; `ca renew` replaces a certificate)" : "");
	return EXIT_FAULT;
}

static int no_openssl(const char *what)
{
	fprintf(stderr, "sallyport: %s\n", what);
	return EXIT_FAULT;
}

/* --- init --- */

static bool is_there(const char *path)
{
	return !access(path, F_OK) || errno != ENOENT;
}

/* Before anything is made: a CA that is half there is for people to look at. */
static int check_absent(const struct conf_wire *wire)
{
	const char *paths[] = {wire->ca_certificate, conf_is_token(wire->ca_key) ? NULL : wire->ca_key};
	for (unsigned i = 0; i < 2; i++)
		if (paths[i] && is_there(paths[i]))
			return complain(paths[i], -EEXIST);
	return 0;
}

/* In a token a key is made with the token's own tool. */
static EVP_PKEY *first_key(const struct conf_wire *wire)
{
	return conf_is_token(wire->ca_key) ? private_key_load(wire->ca_key, "ca-key") : authority_key();
}

static int init_side(const struct order *order, enum wire side)
{
	const struct conf_wire *wire = &order->conf->wire[side];
	char name[64];
	snprintf(name, sizeof(name), "%.30s %s", order->conf->name, sides[side]);
	EVP_PKEY *key = first_key(wire);
	X509 *made = key ? authority_certificate(key, name, NULL) : NULL;
	int rc = 0;
	const char *path = wire->ca_key;
	if (made && !conf_is_token(wire->ca_key))
		rc = file_write_key(wire->ca_key, key, FILE_NEW);
	if (made && !rc)
		rc = file_write_certificate(path = wire->ca_certificate, made, FILE_NEW);
	int result = !made ? no_openssl("no CA could be made") : rc ? complain(path, rc) : 0;
	if (!result)
		printf("%s: made %s\n", sides[side], wire->ca_certificate);
	X509_free(made);
	EVP_PKEY_free(key);
	return result;
}

static int init(const struct order *order)
{
	int rc = 0;
	for (unsigned side = 0; side < WIRES && !rc; side++)
		rc = order->wanted[side] ? check_absent(&order->conf->wire[side]) : 0;
	for (unsigned side = 0; side < WIRES && !rc; side++)
		rc = order->wanted[side] ? init_side(order, side) : 0;
	return rc;
}

/* --- show --- */

static void show_fingerprint(const X509 *certificate)
{
	unsigned char bytes[FINGERPRINT_BYTES];
	unsigned n = sizeof(bytes);
	if (!X509_digest(certificate, EVP_sha256(), bytes, &n))
		n = 0;
	printf("    SHA-256      ");
	for (unsigned i = 0; i < n; i++)
		printf("%s%02X", i ? ":" : "", bytes[i]);
	printf("\n");
}

static void show_date(const char *what, const ASN1_TIME *time)
{
	struct tm tm;
	char text[32] = "?";
	if (ASN1_TIME_to_tm(time, &tm))
		strftime(text, sizeof(text), "%Y-%m-%d", &tm);
	printf("    %-12s %s", what, text);
}

/* Whole days until it ends; negative: it has ended. */
static int days_left(const X509 *certificate)
{
	int days = -1, seconds = 0;
	if (!ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(certificate)))
		return -1;
	return seconds < 0 && !days ? -1 : days;
}

static const char *fault_of(X509 *certificate, const EVP_PKEY *key, int days)
{
	if (X509_check_ca(certificate) != 1)
		return "not a CA (basicConstraints CA:TRUE)";
	if (days < 0)
		return "it has ended (hint: ca renew)";
	if (!key)
		return "there is no key to use it with";
	return X509_check_private_key(certificate, key) == 1 ? NULL : "the key is another one's";
}

static int show_certificate(const struct conf_wire *wire, X509 *certificate)
{
	EVP_PKEY *key = private_key_load(wire->ca_key, "ca-key");      /* says what is wrong with its file */
	int days = days_left(certificate);
	const char *fault = fault_of(certificate, key, days);
	printf("    certificate  %s\n    key          %s\n    subject      ", wire->ca_certificate, wire->ca_key);
	X509_NAME_print_ex_fp(stdout, X509_get_subject_name(certificate), 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB);
	printf("\n");
	show_fingerprint(certificate);
	show_date("from", X509_get0_notBefore(certificate));
	printf("\n");
	show_date("to", X509_get0_notAfter(certificate));
	printf(" (%d days left%s)\n", days, days >= 0 && days < AUTHORITY_WARN_DAYS ? ": renew it" : "");
	printf("    state        %s\n", fault ? fault : "fit for use");
	EVP_PKEY_free(key);
	return fault ? EXIT_FAULT : 0;
}

static int show_side(const struct conf *conf, enum wire side)
{
	X509 *certificate = file_read_certificate(conf->wire[side].ca_certificate);
	printf("%s: servers %s have to trust this CA; the guard shows them certificates of it for %s\n", sides[side],
		sides[side], side == WIRE_INSIDE ? "the peers" : "our domains");
	int rc = certificate ? show_certificate(&conf->wire[side], certificate) : EXIT_FAULT;
	X509_free(certificate);
	return rc;
}

static int show(const struct order *order)
{
	int rc = 0;
	for (unsigned side = 0; side < WIRES; side++)
		if (order->wanted[side] && show_side(order->conf, side))
			rc = EXIT_FAULT;
	return rc;
}

/* --- export, renew --- */

static enum wire only_side(const struct order *order)
{
	if (order->wanted[WIRE_INSIDE] == order->wanted[WIRE_OUTSIDE])
		usage();
	return order->wanted[WIRE_INSIDE] ? WIRE_INSIDE : WIRE_OUTSIDE;
}

static int export(const struct order *order)
{
	X509 *certificate = file_read_certificate(order->conf->wire[only_side(order)].ca_certificate);
	bool written = certificate && PEM_write_X509(stdout, certificate) == 1 && !fflush(stdout);
	X509_free(certificate);
	return written ? 0 : EXIT_FAULT;
}

static int write_renewed(const struct conf_wire *wire, X509 *made, EVP_PKEY *new_key)
{
	int rc = new_key ? file_write_key(wire->ca_key, new_key, FILE_REPLACE) : 0;
	if (rc)
		return complain(wire->ca_key, rc);
	rc = file_write_certificate(wire->ca_certificate, made, FILE_REPLACE);
	return rc ? complain(wire->ca_certificate, rc) : 0;
}

static int renew(const struct order *order)
{
	enum wire side = only_side(order);
	const struct conf_wire *wire = &order->conf->wire[side];
	char name[64];
	if (order->new_key && conf_is_token(wire->ca_key))
		return no_openssl("a key in a token is made with the token's own tool; then name it in the configuration");
	snprintf(name, sizeof(name), "%.30s %s", order->conf->name, sides[side]);
	X509 *old = file_read_certificate(wire->ca_certificate);
	EVP_PKEY *key = !old ? NULL : order->new_key ? authority_key() : private_key_load(wire->ca_key, "ca-key");
	bool fits = key && (order->new_key || X509_check_private_key(old, key) == 1);
	X509 *made = fits ? authority_certificate(key, name, order->new_key ? NULL : old) : NULL;
	int rc = made ? write_renewed(wire, made, order->new_key ? key : NULL) : no_openssl("nothing was renewed");
	if (!rc)
		printf("%s: made %s; the one before is %s.previous\n%s", sides[side], wire->ca_certificate,
			wire->ca_certificate, order->new_key ?
			"Servers there have to trust the new one before the guard is started again with it.\n" :
			"Servers there that trust the one before trust what it signs until that ends. Start the guard again.\n");
	X509_free(made);
	EVP_PKEY_free(key);
	X509_free(old);
	return rc;
}

/* --- the words --- */

static const struct verb {
	const char *word;
	int (*run)(const struct order *order);
	bool takes_new_key;
} verbs[] = {{"init", init, false}, {"show", show, false}, {"export", export, false}, {"renew", renew, true}};

static const struct verb *find_verb(const char *word)
{
	for (unsigned i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		if (!strcmp(word, verbs[i].word))
			return &verbs[i];
	usage();
}

static void read_words(struct order *order, const struct verb *verb, char *const *words)
{
	for (; *words; words++) {
		if (!strcmp(*words, "--new-key") && verb->takes_new_key)
			order->new_key = true;
		else if (!strcmp(*words, sides[WIRE_INSIDE]))
			order->wanted[WIRE_INSIDE] = true;
		else if (!strcmp(*words, sides[WIRE_OUTSIDE]))
			order->wanted[WIRE_OUTSIDE] = true;
		else
			usage();
	}
	if (!order->wanted[WIRE_INSIDE] && !order->wanted[WIRE_OUTSIDE] && !verb->takes_new_key)
		order->wanted[WIRE_INSIDE] = order->wanted[WIRE_OUTSIDE] = true;
}

int main(int argc, char **argv)
{
	const char *path = SYSCONFDIR "/sallyport/sallyport.conf";
	struct order order = {.new_key = false};
	log_init("sallyport");
	for (int option; (option = getopt(argc, argv, "+c:")) != -1;) {
		if (option != 'c')
			usage();
		path = optarg;
	}
	if (optind == argc)
		usage();
	const struct verb *verb = find_verb(argv[optind]);
	read_words(&order, verb, argv + optind + 1);
	struct conf *conf = conf_load(path, path, stderr);
	if (!conf)
		return EXIT_FAULT;
	order.conf = conf;
	int rc = verb->run(&order);
	conf_free(conf);
	return rc;
}
