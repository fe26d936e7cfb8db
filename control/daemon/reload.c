/* Reading the configuration, and reading it again; see reload.h. */
#include <errno.h>
#include <stdio.h>

#include "control/trial/check.h"
#include "dataplane/base/log.h"
#include "reload.h"

int reload_policy(const char *path, const struct conf *running)
{
	struct conf *fresh = policy_read(path, stderr);
	int image = -1;
	if (!fresh) {
		log_warnx("the policy stays as it was: the configuration has faults file=%s", path);
	} else if (fresh->fixed != running->fixed) {
		log_warnx("the policy stays as it was: more than [profile] and [peer] has changed file=%s (hint: that takes a "
			  "restart)", path);
	} else {
		image = conf_seal(fresh);
		errno = image < 0 ? -image : 0;
		if (image < 0)
			log_warn("the policy stays as it was file=%s", path);
	}
	conf_free(fresh);
	return image < 0 ? -1 : image;
}
