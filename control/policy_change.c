/* From one policy to another while traffic runs; see policy_change.h. */
#include <errno.h>

#include "control/control.h"
#include "control/pace.h"
#include "control/policy_change.h"
#include "control/policy_load.h"

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
	conf_take_policy(control->conf, fresh);
	sessions_on_policy(control);
	control_count(control, COUNT_POLICY_CHANGES);
	audit_guard(control, "policy changed");
	return 0;
}
