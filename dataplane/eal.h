/* DPDK's environment: memory, cores, devices. */
#ifndef DATAPLANE_EAL_H
#define DATAPLANE_EAL_H

#include "dataplane/base/conf.h"
#include "port.h"

/* Hugepages where enough are free, else ordinary memory; a thread for each lane, by DPDK's number of it. Exits with a hint
 * on failure. */
void eal_start(const struct conf *conf, const struct port ports[WIRES]) __attribute__((nonnull));

/* Buffers for the frames of both ports; each further lane takes a quarter as many again, half as many where it may have
 * queues of its own. Exits on failure. */
struct rte_mempool *eal_buffers(const struct port ports[WIRES], unsigned lanes) __attribute__((nonnull));

#endif
