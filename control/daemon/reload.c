/* Reading the configuration, and reading it again; see reload.h. */
#include <errno.h>
#include <stdio.h>

#include "control/policy_load.h"
#include "dataplane/base/log.h"
#include "reload.h"

static void warn_of_peers(const struct conf *conf)
{
	for (unsigned i = 0; i < conf->peer_count; i++)
		if (conf->peers[i].authentication == AUTH_NONE)
			log_warnx("streams with this peer may be neither encrypted nor authenticated peer=%s line=%d (hint: "
				  "authentication = tls-dialback)", conf->peers[i].domain, conf->peers[i].line);
}

/* What only policy can tell of its lists. */
static int check_policy(const struct conf *conf, const char *path)
{
	struct policy_fault fault = {.line = 1, .text = "out of memory (hint: shorter lists)"};
	struct policy *policy = policy_load(conf, &fault);
	if (!policy)
		fprintf(stderr, "%s:%d: %s\n", path, fault.line ? fault.line : 1, fault.text);
	policy_free(policy);
	return policy ? 0 : -1;
}

struct conf *reload_read(const char *path)
{
	struct conf *conf = conf_load(path, path, stderr);
	if (conf && (conf_check_files(conf, path, stderr) || check_policy(conf, path))) {
		conf_free(conf);
		conf = NULL;
	}
	if (conf)
		warn_of_peers(conf);
	return conf;
}

int reload_policy(const char *path, const struct conf *running)
{
	struct conf *fresh = reload_read(path);
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
