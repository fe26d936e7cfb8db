/* Which certificates prove which domain (RFC 6120 13.7, RFC 9525). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/x509v3.h>

#include "tls/identity.h"
#include "tls_pki.h"

struct row {
	const char *domain;
	struct pki_name names[PKI_NAMES_MAX];
	bool proved;
};

static const struct row rows[] = {
	{"a.example", {{PKI_SRV, "_xmpp-server.a.example", 0}}, true},
	{"a.example", {{PKI_SRV, "_XMPP-Server.A.Example", 0}}, true},
	{"a.example", {{PKI_SRV, "_xmpp-client.a.example", 0}}, false},
	{"a.example", {{PKI_SRV, "_xmpp-server.b.example", 0}}, false},
	{"a.example", {{PKI_SRV, "_xmpp-server.", 0}}, false},
	{"a.example", {{PKI_SRV, "a.example", 0}}, false},
	{"a.example", {{PKI_SRV, "_xmpp-server.a.example.b.example", 0}}, false},
	{"x.a.example", {{PKI_SRV, "_xmpp-server.*.a.example", 0}}, false},
	{"a.example", {{PKI_SRV_UTF8, "_xmpp-server.a.example", 0}}, false},

	{"a.example", {{PKI_XMPP, "a.example", 0}}, true},
	{"a.example", {{PKI_XMPP, "user@a.example", 0}}, false},
	{"a.example", {{PKI_XMPP, "b.example", 0}}, false},
	{"x.a.example", {{PKI_XMPP, "*.a.example", 0}}, false},

	{"a.example", {{PKI_DNS, "a.example", 0}}, true},
	{"a.example", {{PKI_DNS, "A.EXAMPLE", 0}}, true},
	{"a.example", {{PKI_DNS, "a.example.", 0}}, false},
	{"a.example", {{PKI_DNS, "xa.example", 0}}, false},
	{"xa.example", {{PKI_DNS, "a.example", 0}}, false},
	{"a.example", {{PKI_DNS, "b.example", 0}, {PKI_XMPP, "c.example", 0}, {PKI_DNS, "a.example", 0}}, true},
	{"a.example", {{PKI_URI, "xmpp:a.example", 0}}, false},

	{"x.a.example", {{PKI_DNS, "*.a.example", 0}}, true},
	{"x.a.example", {{PKI_DNS, "*.A.example", 0}}, true},
	{"a.example", {{PKI_DNS, "*.a.example", 0}}, false},
	{"y.x.a.example", {{PKI_DNS, "*.a.example", 0}}, false},
	{"x.a.example", {{PKI_DNS, "*.*.example", 0}}, false},
	{"x.a.example", {{PKI_DNS, "x.*.example", 0}}, false},
	{"x.a.example", {{PKI_DNS, "x*.a.example", 0}}, false},
	{"x.a.example", {{PKI_DNS, "*x.a.example", 0}}, false},
	{"a.example", {{PKI_DNS, "*.example", 0}}, false},
	{"example", {{PKI_DNS, "*", 0}}, false},
	{"a.example", {{PKI_DNS, "*", 0}}, false},
	{"x.a.example", {{PKI_DNS, "*.", 0}}, false},
	{".a.example", {{PKI_DNS, "*.a.example", 0}}, false},

	{"xn--mnchen-3ya.example", {{PKI_DNS, "xn--mnchen-3ya.example", 0}}, true},
	{"xn--mnchen-3ya.example", {{PKI_SRV, "_xmpp-server.xn--mnchen-3ya.example", 0}}, true},
	{"xn--mnchen-3ya.example", {{PKI_DNS, "m\xc3\xbcnchen.example", 0}}, false},
	{"xn--mnchen-3ya.a.example", {{PKI_DNS, "*.a.example", 0}}, true},
	{"xn--mnchen-3ya.example", {{PKI_DNS, "xn--*.example", 0}}, false},

	{"xn--mnchen-3ya.example", {{PKI_XMPP, "m\xc3\xbcnchen.example", 0}}, true},
	{"xn--mnchen-3ya.example", {{PKI_XMPP, "M\xc3\x9cNCHEN.Example", 0}}, true},
	{"xn--mnchen-3ya.example", {{PKI_XMPP, "mu\xcc\x88nchen.example", 0}}, true},
	{"xn--mnchen-3ya.example", {{PKI_XMPP, "xn--mnchen-3ya.example", 0}}, true},
	{"xn--mnchen-3ya.example", {{PKI_XMPP, "munchen.example", 0}}, false},
	{"xn--mnchen-3ya.example", {{PKI_XMPP, "m\xc3\xbcnchen.example\0.evil", 20}}, false},
	{"xn--mnchen-3ya.example", {{PKI_XMPP, "m\xfcnchen.example", 0}}, false},
	{"xn--mnchen-3ya.example", {{PKI_SRV, "_xmpp-server.m\xc3\xbcnchen.example", 0}}, false},
	{"xn--strae-oqa.example", {{PKI_XMPP, "stra\xc3\x9f" "e.example", 0}}, true},
	{"strasse.example", {{PKI_XMPP, "stra\xc3\x9f" "e.example", 0}}, false},

	{"a.example", {{PKI_DNS, "a.example\0.evil.example", 23}}, false},
	{"a.example", {{PKI_DNS, "a.example\0", 10}}, false},
	{"a.example", {{PKI_DNS, "a.exampl\0", 9}}, false},
	{"a.example", {{PKI_SRV, "_xmpp-server.a.example\0.evil.example", 36}}, false},
	{"a.example", {{PKI_SRV, "_xmpp-server\0a.example", 22}}, false},
	{"a.example", {{PKI_XMPP, "a.example\0.evil.example", 23}}, false},
	{"x.a.example", {{PKI_DNS, "*.a.example\0evil", 16}}, false},

	{"a.example", {{PKI_NO_NAME, NULL, 0}}, false},
	{"", {{PKI_DNS, "*.a.example", 0}}, false},
	{"127.0.0.1", {{PKI_DNS, "*.0.0.1", 0}}, false},
};

static void test_table(void **state)
{
	struct pki ca = pki_ca("ca");
	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		/* The common name would always do: it does not count. */
		struct pki_spec spec = {.common_name = rows[i].domain[0] ? rows[i].domain : "x"};
		memcpy(spec.names, rows[i].names, sizeof(spec.names));
		struct pki pki = pki_make(&spec, &ca);
		if (identity_proves(pki.certificate, rows[i].domain) != rows[i].proved)
			fail_msg("row %u: %s with \"%s\" is %s", i, rows[i].domain, rows[i].names[0].bytes,
				rows[i].proved ? "not proved" : "proved");
		pki_free(&pki);
	}
	pki_free(&ca);
}

static void test_two_extensions_prove_nothing(void **state)
{
	struct pki ca = pki_ca("ca"), pki = pki_server("a.example", &ca);
	(void)state;
	assert_true(identity_proves(pki.certificate, "a.example"));
	int at = X509_get_ext_by_NID(pki.certificate, NID_subject_alt_name, -1);
	X509_EXTENSION *again = X509_EXTENSION_dup(X509_get_ext(pki.certificate, at));
	X509_add_ext(pki.certificate, again, -1);
	assert_false(identity_proves(pki.certificate, "a.example"));
	X509_EXTENSION_free(again);
	pki_free(&pki);
	pki_free(&ca);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_two_extensions_prove_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
