/*
 * sallyport-dataplane: bridges the two wires and splits guarded connections. Root until its ports are open.
 */
#include <seccomp.h>
#include <stdlib.h>

#include "dataplane/base/conf.h"
#include "dataplane/base/log.h"
#include "dataplane/base/proc.h"
#include "dataplane/base/sandbox.h"
#include "worker.h"

/* Beyond what every process needs: the state of the packet sockets. Sending on them is sendto(), waiting is ppoll(). */
static const int syscalls[] = {SCMP_SYS(getsockopt), -1};

static void enter_sandbox(const struct conf *conf)
{
	const struct sandbox sandbox = {
		.uid = conf->uid[PROC_DATAPLANE],
		.gid = conf->gid[PROC_DATAPLANE],
		.keep_network = true,
		.files_max = 1024,
		.syscalls = syscalls,
	};
	if (sandbox_enter(&sandbox))
		fatalx("sandbox cannot be entered");
}

int main(void)
{
	proc_init(PROC_DATAPLANE);
	struct conf *conf = conf_load_inherited();
	if (conf->workers > 1)
		fatalx("several workers are not there yet workers=%u", conf->workers);
	struct counters *counters =
		counters_open(PROC_FD_COUNTERS, dataplane_counter_names, DATAPLANE_COUNTERS_END);
	if (!counters)
		fatal("counters");
	struct worker *worker = calloc(1, sizeof(*worker));
	if (!worker)
		fatalx("out of memory");
	worker_open_ports(worker, conf);
	worker_init(worker, conf, counters);
	enter_sandbox(conf);
	if (proc_tell(SUPERVISOR_READY))
		fatalx("sallyportd is gone");
	worker_run(worker);
}
