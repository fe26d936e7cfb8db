/* From one policy to another while traffic runs; see policy_change.h. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "control/control.h"
#include "control/pace.h"
#include "control/policy_change.h"
#include "control/policy_load.h"

enum { WHY_BYTES = 512 };

void policy_refused(struct control *control, int text)
{
	static const char what[] = "policy refused: ";
	char line[sizeof(what) + WHY_BYTES];
	ssize_t n = pread(text, line + sizeof(what) - 1, WHY_BYTES, 0);
	memcpy(line, what, sizeof(what) - 1);
	line[sizeof(what) - 1 + (n > 0 ? (size_t)n : 0)] = '\0';
	close(text);
	control_count(control, COUNT_POLICY_REFUSALS);
	audit_guard(control, line);
}

int policy_change(struct control *control, int image)
{
	struct conf *fresh = conf_unseal(image);
	struct policy *policy = fresh ? policy_load(fresh, NULL) : NULL;
	if (!policy) {
		int error = errno;
		conf_free(fresh);
		return -error;
	}
	pace_forget(control);
	policy_free(control->policy);
	control->policy = policy;
	control->shadows = (struct shadows){.count = 0};
	conf_take_policy(control->conf, fresh);
	sessions_on_policy(control);
	control_count(control, COUNT_POLICY_CHANGES);
	audit_guard(control, "policy changed");
	return 0;
}
