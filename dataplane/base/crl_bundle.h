/*
 * How lists of revoked certificates come to tls, which can open no file: sallyportd copies the files of a wire into one
 * sealed memfd and hands it over (SUPERVISOR_CRLS). It holds for each file a struct crl_file and then its bytes.
 */
#ifndef BASE_CRL_BUNDLE_H
#define BASE_CRL_BUNDLE_H

#include <assert.h>
#include <stdint.h>

enum crl_limits {
	CRL_FILES_MAX = 256,
	CRL_BYTES_MAX = 64 << 20,      /* of a wire */
	CRL_FILE_NAME_MAX = 120,
};

#define CRL_UNREADABLE UINT64_MAX

struct crl_file {
	uint64_t bytes;                /* CRL_UNREADABLE: none follow */
	char name[CRL_FILE_NAME_MAX];  /* for people; ends with a NUL */
};
static_assert(sizeof(struct crl_file) == 128, "crl file");

#endif
