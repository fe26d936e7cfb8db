/* DPDK's environment; see eal.h. */
#include <dirent.h>
#include <limits.h>
#include <linux/if_packet.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>
#include <rte_mbuf.h>

#include "dataplane/base/log.h"
#include "eal.h"

enum { ARGUMENTS_MAX = 16, ARGUMENT_BYTES = 384, BUFFERS = 8191, BUFFERS_JUMBO = 4095, JUMBO_BYTES = 4096 };

struct arguments {
	int count;
	char text[ARGUMENTS_MAX][ARGUMENT_BYTES];
	char *pointers[ARGUMENTS_MAX + 1];
};

static void __attribute__((format(printf, 2, 3))) add(struct arguments *args, const char *format, ...)
{
	if (args->count == ARGUMENTS_MAX)
		fatalx("too many arguments for EAL");
	va_list list;
	va_start(list, format);
	vsnprintf(args->text[args->count], ARGUMENT_BYTES, format, list);
	va_end(list);
	args->pointers[args->count] = args->text[args->count];
	args->count++;
}

static uint64_t read_number(const char *path)
{
	FILE *f = fopen(path, "re");
	if (!f)
		return 0;
	unsigned long long n = 0;
	if (fscanf(f, "%llu", &n) != 1)
		n = 0;
	fclose(f);
	return n;
}

static uint64_t free_hugepage_mib(void)
{
	static const char directory[] = "/sys/kernel/mm/hugepages";
	DIR *dir = opendir(directory);
	if (!dir)
		return 0;
	uint64_t mib = 0;
	for (const struct dirent *entry; (entry = readdir(dir));) {
		unsigned long kib;
		char path[sizeof(directory) + sizeof(entry->d_name) + 32];
		if (sscanf(entry->d_name, "hugepages-%lukB", &kib) != 1)
			continue;
		snprintf(path, sizeof(path), "%s/%s/free_hugepages", directory, entry->d_name);
		mib += read_number(path) * (kib / 1024);
	}
	closedir(dir);
	return mib;
}

static void add_memory(struct arguments *args, unsigned memory_mib)
{
	add(args, "-m");
	add(args, "%u", memory_mib);
	if (free_hugepage_mib() >= memory_mib) {
		add(args, "--in-memory");
		return;
	}
	log_info("no hugepages: using 4 KiB pages memory-mib=%u", memory_mib);
	add(args, "--no-huge");
	add(args, "--no-shconf");
}

static void add_devices(struct arguments *args, const struct port ports[WIRES])
{
	if (ports[WIRE_INSIDE].kind != DEVICE_PCI && ports[WIRE_OUTSIDE].kind != DEVICE_PCI)
		add(args, "--no-pci");
	for (unsigned w = 0; w < WIRES; w++)
		add(args, "%s", ports[w].argument);
}

/*
 * The packet sockets of DPDK join a fanout group, even one alone, and in that mode the kernel reassembles the fragments
 * of others before we see them. There is no option against it and no way out of a group: so the call is answered with
 * success and not made.
 */
static void keep_out_of_fanout(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	if (!filter || seccomp_rule_add(filter, SCMP_ACT_ERRNO(0), SCMP_SYS(setsockopt), 2,
		SCMP_A1(SCMP_CMP_EQ, SOL_PACKET, 0), SCMP_A2(SCMP_CMP_EQ, PACKET_FANOUT, 0)) || seccomp_load(filter))
		fatalx("system call filter cannot be set up");
	seccomp_release(filter);
}

/* DPDK makes a folder for files that it was told not to keep. Its parent may be used by others, and then stays. */
static void remove_runtime_folder(void)
{
	char folder[PATH_MAX];
	snprintf(folder, sizeof(folder), "%s", rte_eal_get_runtime_dir());
	char *slash = strrchr(folder, '/');
	if (!slash || rmdir(folder))
		return;
	*slash = '\0';
	rmdir(folder);
}

/* One for each lane; none of them is tied to one CPU, so that lanes that talk can come together on a small machine. */
static void add_threads(struct arguments *args, const struct conf *conf)
{
	char cpus[sizeof(conf->cpus)];
	if (conf->cpus[0])
		snprintf(cpus, sizeof(cpus), "%s", conf->cpus);
	else
		snprintf(cpus, sizeof(cpus), "0-%ld", sysconf(_SC_NPROCESSORS_ONLN) - 1);
	if (conf->workers == 1)
		add(args, "--lcores=0@(%s)", cpus);
	else
		add(args, "--lcores=(0-%u)@(%s)", conf->workers - 1, cpus);
}

/* DPDK would log to syslog too, which it could not reach from the sandbox. */
void eal_start(const struct conf *conf, const struct port ports[WIRES])
{
	static struct arguments args;
	if (geteuid())
		fatalx("not root: ports cannot be opened (hint: start sallyportd as root, it drops what it does not need)");
	add(&args, "sallyport-dataplane");
	add(&args, "--no-telemetry");
	add(&args, "--log-level=*:4");
	add_threads(&args, conf);
	add_memory(&args, conf->memory_mib);
	add_devices(&args, ports);
	rte_openlog_stream(stderr);
	keep_out_of_fanout();
	add(&args, "--file-prefix=sallyport-%d", getpid());
	int rc = rte_eal_init(args.count, args.pointers);
	remove_runtime_folder();
	if (rc < 0)
		fatalx("DPDK does not start reason=\"%s\" (hint: the lines above; memory-mib, cpus and the device names are in "
			"the configuration)", rte_strerror(rte_errno));
}

struct rte_mempool *eal_buffers(const struct port ports[WIRES], unsigned lanes)
{
	uint32_t frame = ports[WIRE_INSIDE].frame_max;
	if (ports[WIRE_OUTSIDE].frame_max > frame)
		frame = ports[WIRE_OUTSIDE].frame_max;
	if (frame + RTE_PKTMBUF_HEADROOM > UINT16_MAX)
		fatalx("frames too large bytes=%u", frame);
	unsigned count = frame > JUMBO_BYTES ? BUFFERS_JUMBO : BUFFERS;
	bool has_queues = ports[WIRE_INSIDE].kind == DEVICE_PCI || ports[WIRE_OUTSIDE].kind == DEVICE_PCI;
	count += (lanes - 1) * (count / (has_queues ? 2 : 4));
	struct rte_mempool *pool = rte_pktmbuf_pool_create("frames", count, 256, 0,
		(uint16_t)(frame + RTE_PKTMBUF_HEADROOM), SOCKET_ID_ANY);
	if (!pool)
		fatalx("no memory for %u buffers of %u bytes reason=\"%s\" (hint: raise memory-mib)", count, frame,
			rte_strerror(rte_errno));
	return pool;
}
