/*
 * sallyport-dataplane: bridges the two wires and splits guarded connections. Root until its ports are open. A thread for
 * each lane: they are DPDK's own and are there before the sandbox is entered, which covers them all.
 */
#include <linux/sockios.h>
#include <seccomp.h>

#include <rte_launch.h>

#include "dataplane/base/conf.h"
#include "dataplane/base/log.h"
#include "dataplane/base/proc.h"
#include "dataplane/base/sandbox.h"
#include "worker.h"

/* Beyond what every process needs: the state of the packet sockets. Sending on them is sendto(), waiting is ppoll(). */
static const int syscalls[] = {SCMP_SYS(getsockopt), -1};

/* By which some devices are asked for their link; without capabilities nothing can be changed by them. */
static const unsigned long ioctls[] = {SIOCGIFFLAGS, SIOCSIFFLAGS, SIOCETHTOOL, 0};

static void enter_sandbox(const struct conf *conf)
{
	const struct sandbox sandbox = {
		.uid = conf->uid[PROC_DATAPLANE],
		.gid = conf->gid[PROC_DATAPLANE],
		.keep_network = true,
		.files_max = 1024,
		.ioctls = ioctls,
		.syscalls = syscalls,
	};
	if (sandbox_enter(&sandbox))
		fatalx("sandbox cannot be entered");
}

static int run(void *worker)
{
	worker_run(worker);
	return 0;
}

int main(void)
{
	struct worker *workers[PROC_LANES_MAX];
	unsigned lanes = proc_init(PROC_DATAPLANE).lanes;
	struct conf *conf = conf_load_inherited();
	if (conf->workers != lanes)
		fatalx("not as many lanes as workers lanes=%u workers=%u", lanes, conf->workers);
	workers_open(workers, conf);
	for (unsigned lane = 0; lane < lanes; lane++) {
		struct counters *counters =
			counters_open(dataplane_fd_counters(lane), dataplane_counter_names, DATAPLANE_COUNTERS_END);
		if (!counters)
			fatal("counters lane=%u", lane);
		worker_init(workers[lane], conf, counters);
	}
	enter_sandbox(conf);
	if (proc_tell(SUPERVISOR_READY))
		fatalx("sallyportd is gone");
	for (unsigned lane = 1; lane < lanes; lane++)
		if (rte_eal_remote_launch(run, workers[lane], lane))
			fatalx("thread does not start lane=%u", lane);
	worker_run(workers[0]);
	rte_eal_mp_wait_lcore();
	return 0;
}
