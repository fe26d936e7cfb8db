/* Names of the counters; see count.h. */
#include "control/count.h"
#include "dataplane/base/counters.h"

static_assert((int)COUNTS <= (int)COUNTERS_MAX, "all counters have a place");

const char *const control_counter_names[COUNTS] = {
#define X(id, name) name,
	CONTROL_COUNTERS(X)
#undef X
};
