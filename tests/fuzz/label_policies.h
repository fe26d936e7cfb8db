/* The policies by which fuzzers read labels: those of tests/labels, read once. */
#ifndef TESTS_LABEL_POLICIES_H
#define TESTS_LABEL_POLICIES_H

#include "policy/label/label_form.h"

const struct spif_set *label_policies(void);

#endif
