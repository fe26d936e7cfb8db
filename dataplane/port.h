/*
 * The two ports. A port is named in the configuration as a kernel interface, a PCI address, or "vdev:..." for any virtual
 * device of DPDK; from here on it is a DPDK port. Of several lanes each has its own queues where the device has enough of
 * them and can spread what it receives as lane.h says; else there is one queue each way, one lane polls it for all,
 * and sending takes turns.
 */
#ifndef DATAPLANE_PORT_H
#define DATAPLANE_PORT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "dataplane/base/conf.h"
#include "dataplane/base/conf_device.h"

struct rte_mbuf;
struct rte_mempool;

enum port_limits {
	PORT_BURST = 64,
	PORT_SEND_TRIES = 64,          /* bursts, before the rest is dropped and counted */
	PORT_RING_FRAMES = 4096,       /* of a packet socket; fewer lose frames under bursts */
	PORT_RING_BYTES_MAX = 32 << 20,
	PORT_DEVICE_ARGUMENT_MAX = 320,
};

struct port {
	enum device_kind kind;
	const char *device;            /* as configured */
	char name[64];                 /* as DPDK calls it */
	char argument[PORT_DEVICE_ARGUMENT_MAX];       /* for EAL: --vdev= or -a */
	uint16_t mtu;
	uint32_t frame_max;            /* bytes that a buffer must hold */
	uint16_t id;
	unsigned if_index;             /* of a packet socket's interface; 0: has none */
	uint16_t rx_queues, tx_queues;
	pthread_mutex_t lock;          /* the first lane's: for */
	pthread_mutex_t *tx_lock;      /* the only queue for sending; NULL: a queue of our own */
	/* Each lane's own: */
	enum link_state link;          /* as sallyportd says; without one nothing is sent */
	enum link_state link_said;     /* to sallyportd, of a device that is not the kernel's */
	bool polled;                   /* by this lane */
	uint16_t rx_queue, tx_queue;
	unsigned waiting;
	struct rte_mbuf *frames[PORT_BURST];   /* to be sent */
	uint64_t bridged_frames, bridged_bytes;        /* to here, not yet counted */
};

/* From the configuration to what EAL must be told. Exits with a hint on what cannot be. */
void port_plan(struct port *port, const struct conf_wire *wire, enum wire which) __attribute__((nonnull));

/* After EAL: configures and starts the device, for the first lane to use. Exits with a hint on failure. */
void port_start(struct port *port, struct rte_mempool *pool, unsigned lanes) __attribute__((nonnull));

/* The port as another lane uses it. */
void port_share(struct port *port, const struct port *first, enum wire wire, struct proc_lane lane)
	__attribute__((nonnull));

#endif
