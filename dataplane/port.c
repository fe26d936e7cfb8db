/* Making a device a port; see port.h. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "dataplane/base/log.h"
#include "interface.h"
#include "lane.h"
#include "pci.h"
#include "port.h"

enum { RSS_KEY_BYTES = 40, RSS_KEY_MAX = 128, RETA_GROUPS_MAX = 1024 / RTE_ETH_RETA_GROUP_SIZE };
enum { BLOCK_BYTES = 65536, RING_HEADER_BYTES = 128, LINK_HEADERS_BYTES = 14 + 2 * 4 + 4, DESCRIPTORS = 1024 };
enum { BUFFER_BYTES = 2048, XDP_BEFORE_FRAME_BYTES = 512, XDP_MTU_MAX = 3200 };

static void check_length(int length, size_t room, const char *device)
{
	if (length < 0 || (size_t)length >= room)
		fatalx("device description too long device=%s", device);
}

/* The kernel divides the ring into blocks and these into frames: so both are powers of two. */
static uint32_t ring_frame_bytes(uint32_t frame_max)
{
	uint32_t bytes = 2048;
	while (bytes < frame_max + RING_HEADER_BYTES)
		bytes *= 2;
	return bytes;
}

static void plan_interface(struct port *port, enum wire which)
{
	interface_prepare(port->device);
	port->mtu = interface_mtu(port->device);
	uint32_t frame = ring_frame_bytes(port->mtu + LINK_HEADERS_BYTES);
	if (frame > BLOCK_BYTES)
		fatalx("MTU too large interface=%s mtu=%u", port->device, port->mtu);
	uint32_t count = PORT_RING_BYTES_MAX / frame < PORT_RING_FRAMES ? PORT_RING_BYTES_MAX / frame : PORT_RING_FRAMES;
	port->frame_max = frame;
	snprintf(port->name, sizeof(port->name), "net_af_packet%d", which);
	int length = snprintf(port->argument, sizeof(port->argument),
		"--vdev=%s,iface=%s,framesz=%u,framecnt=%u,blocksz=%d", port->name, port->device, frame, count, BLOCK_BYTES);
	check_length(length, sizeof(port->argument), port->device);
	interface_listen_to_all(port->device); /* stays open until the process ends */
}

/* The kernel writes into our buffers, each of which has to lie within a page together with what stands before the frame. */
static void plan_xdp(struct port *port, enum wire which)
{
	const char *name = conf_device_name(port->device);
	interface_prepare(name);
	interface_use_one_queue(name);
	port->mtu = interface_mtu(name);
	if (port->mtu > XDP_MTU_MAX)
		fatalx("MTU too large for XDP sockets interface=%s mtu=%u (hint: at most %d; or device = %s, without xdp:)", name,
			port->mtu, XDP_MTU_MAX, name);
	uint32_t frame = port->mtu + LINK_HEADERS_BYTES + XDP_BEFORE_FRAME_BYTES;
	port->frame_max = frame < BUFFER_BYTES ? BUFFER_BYTES : frame;
	snprintf(port->name, sizeof(port->name), "net_af_xdp%d", which);
	int length = snprintf(port->argument, sizeof(port->argument), "--vdev=%s,iface=%s,start_queue=0,queue_count=1",
		port->name, name);
	check_length(length, sizeof(port->argument), port->device);
	interface_listen_to_all(name);
}

static void plan_vdev(struct port *port, const char *device)
{
	port->frame_max = BUFFER_BYTES;
	int length = snprintf(port->argument, sizeof(port->argument), "--vdev=%s", device);
	check_length(length, sizeof(port->argument), device);
	length = snprintf(port->name, sizeof(port->name), "%.*s", (int)strcspn(device, ","), device);
	check_length(length, sizeof(port->name), device);
}

static void plan_pci(struct port *port)
{
	char fault[PCI_FAULT_BYTES];
	if (pci_fault("", port->device, fault))
		fatalx("%s", fault);
	port->frame_max = BUFFER_BYTES;
	pci_address(port->device, port->name);
	snprintf(port->argument, sizeof(port->argument), "--allow=%s", port->name);
}

void port_plan(struct port *port, const struct conf_wire *wire, enum wire which)
{
	*port = (struct port){.device = wire->device};
	port->kind = conf_device_kind(wire->device);
	if (port->kind == DEVICE_VDEV)
		plan_vdev(port, conf_device_name(wire->device));
	else if (port->kind == DEVICE_PCI)
		plan_pci(port);
	else if (port->kind == DEVICE_XDP)
		plan_xdp(port, which);
	else
		plan_interface(port, which);
}

/* --- spreading over queues --- */

static bool can_spread(const struct rte_eth_dev_info *info, unsigned lanes)
{
	return lanes > 1 && info->max_rx_queues >= lanes && (info->flow_type_rss_offloads & RTE_ETH_RSS_IP) &&
		info->hash_key_size <= RSS_KEY_MAX;
}

/* By addresses alone, with the key that does not tell the two apart. */
static void ask_to_spread(struct rte_eth_conf *conf, const struct rte_eth_dev_info *info, uint8_t key[RSS_KEY_MAX])
{
	for (unsigned i = 0; i < RSS_KEY_MAX; i += 2) {
		key[i] = LANE_KEY >> 8;
		key[i + 1] = LANE_KEY & 0xff;
	}
	conf->rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
	conf->rx_adv_conf.rss_conf.rss_key = key;
	conf->rx_adv_conf.rss_conf.rss_key_len = info->hash_key_size ? info->hash_key_size : RSS_KEY_BYTES;
	conf->rx_adv_conf.rss_conf.rss_hf = RTE_ETH_RSS_IP & info->flow_type_rss_offloads;
}

/* The device's table as lane_of_slot() has it. Where that cannot be, frames in the wrong queue are handed over. */
static void fill_table(const struct port *port, const struct rte_eth_dev_info *info)
{
	struct rte_eth_rss_reta_entry64 table[RETA_GROUPS_MAX] = {0};
	unsigned groups = info->reta_size / RTE_ETH_RETA_GROUP_SIZE;
	if (!groups || groups > RETA_GROUPS_MAX || info->reta_size % RTE_ETH_RETA_GROUP_SIZE)
		return;
	for (unsigned i = 0; i < info->reta_size; i++) {
		struct rte_eth_rss_reta_entry64 *group = &table[i / RTE_ETH_RETA_GROUP_SIZE];
		group->mask = UINT64_MAX;
		group->reta[i % RTE_ETH_RETA_GROUP_SIZE] = (uint16_t)lane_of_slot(i, port->rx_queues);
	}
	int rc = rte_eth_dev_rss_reta_update(port->id, table, info->reta_size);
	if (rc && rc != -ENOTSUP)
		log_warnx("port spreads in its own way device=%s reason=\"%s\"", port->device, strerror(-rc));
}

/* One who waits for the other lane's burst spins a little and then sleeps: lanes may share a CPU. */
static pthread_mutex_t *init_lock(pthread_mutex_t *lock)
{
	pthread_mutexattr_t attributes;
	if (pthread_mutexattr_init(&attributes) ||
		pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ADAPTIVE_NP) || pthread_mutex_init(lock, &attributes))
		fatalx("out of memory");
	return lock;
}

static int set_up_queues(const struct port *port, struct rte_mempool *pool)
{
	uint16_t rx = DESCRIPTORS, tx = DESCRIPTORS;
	int rc = rte_eth_dev_adjust_nb_rx_tx_desc(port->id, &rx, &tx);
	int socket = rte_eth_dev_socket_id(port->id);
	unsigned numa = socket < 0 ? 0 : (unsigned)socket;
	for (uint16_t q = 0; !rc && q < port->rx_queues; q++)
		rc = rte_eth_rx_queue_setup(port->id, q, rx, numa, NULL, pool);
	for (uint16_t q = 0; !rc && q < port->tx_queues; q++)
		rc = rte_eth_tx_queue_setup(port->id, q, tx, numa, NULL);
	return rc;
}

static int try_queues(struct port *port, struct rte_mempool *pool, const struct rte_eth_dev_info *info, uint16_t rx,
	uint16_t tx)
{
	struct rte_eth_conf conf = {0};
	uint8_t key[RSS_KEY_MAX];
	port->rx_queues = rx;
	port->tx_queues = tx;
	if (rx > 1)
		ask_to_spread(&conf, info, key);
	int rc = rte_eth_dev_configure(port->id, rx, tx, &conf);
	rc = rc ? rc : set_up_queues(port, pool);
	rc = rc ? rc : rte_eth_dev_start(port->id);
	if (rc && rx * tx > 1)
		log_info("port does not start with so many queues device=%s rx=%u tx=%u reason=\"%s\"", port->device, rx, tx,
			strerror(-rc));
	return rc;
}

/* As many queues as there are lanes, if the device can spread over them; else for sending only; else one each way. */
static int try_all(struct port *port, struct rte_mempool *pool, unsigned lanes)
{
	struct rte_eth_dev_info info;
	int rc = rte_eth_dev_info_get(port->id, &info);
	if (rc)
		return rc;
	port->if_index = info.if_index;
	uint16_t tx = info.max_tx_queues >= lanes ? (uint16_t)lanes : 1;
	if (can_spread(&info, lanes) && !try_queues(port, pool, &info, (uint16_t)lanes, tx)) {
		fill_table(port, &info);
		return 0;
	}
	rc = try_queues(port, pool, &info, 1, tx);
	return rc && tx > 1 ? try_queues(port, pool, &info, 1, 1) : rc;
}

static void configure(struct port *port, struct rte_mempool *pool, unsigned lanes)
{
	int rc = try_all(port, pool, lanes);
	if (rc)
		fatalx("port cannot be started device=%s reason=\"%s\"", port->device, strerror(-rc));
	port->tx_lock = port->tx_queues < lanes ? init_lock(&port->lock) : NULL;
	port->polled = true;
}

void port_share(struct port *port, const struct port *first, enum wire wire, struct proc_lane lane)
{
	*port = *first;
	bool spreads = first->rx_queues > 1;
	port->polled = spreads || lane.lane == (wire == WIRE_INSIDE ? 0 : 1 % lane.lanes);
	port->rx_queue = spreads ? (uint16_t)lane.lane : 0;
	port->tx_queue = port->tx_lock ? 0 : (uint16_t)lane.lane;
}

/* An interface needs no more than the membership that interface.c holds. */
static void take_in_all(struct port *port)
{
	if (conf_device_interface(port->device))
		return;
	int rc = rte_eth_promiscuous_enable(port->id);
	if (rc && rc != -ENOTSUP)
		log_warnx("port does not take in every frame device=%s reason=\"%s\"", port->device, strerror(-rc));
}

void port_start(struct port *port, struct rte_mempool *pool, unsigned lanes)
{
	if (rte_eth_dev_get_port_by_name(port->name, &port->id))
		fatalx("device not found device=%s (hint: %s)", port->device,
			port->kind == DEVICE_PCI ? "is there a DPDK driver for it? dpdk-devbind.py --status" : "see the log above");
	configure(port, pool, lanes);
	take_in_all(port);
	if (!conf_device_interface(port->device) && rte_eth_dev_get_mtu(port->id, &port->mtu))
		port->mtu = RTE_ETHER_MTU;
	log_info("port started device=%s driver=%s mtu=%u queues=%u", port->device, port->name, port->mtu, port->rx_queues);
}
