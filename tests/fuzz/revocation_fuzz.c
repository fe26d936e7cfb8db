/* A bundle of CRLs, as it comes from files that others publish: taken whole, or refused with a reason. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tls/revocation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char reason[CHANNEL_NAME_MAX];
	unsigned count;
	X509_STORE *trusted = X509_STORE_new();
	int bundle = memfd_create("bundle", MFD_CLOEXEC);
	if (!trusted || bundle < 0 || write(bundle, data, size) != (ssize_t)size)
		abort();
	X509_STORE *store = revocation_store(trusted, bundle, &count, reason);
	if (!store != !!*reason || !memchr(reason, 0, sizeof(reason)))
		abort();
	X509_STORE_free(store);
	X509_STORE_free(trusted);
	close(bundle);
	return 0;
}
