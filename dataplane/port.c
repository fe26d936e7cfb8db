/* Making a device a port; see port.h. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "dataplane/base/log.h"
#include "interface.h"
#include "port.h"

enum { BLOCK_BYTES = 65536, RING_HEADER_BYTES = 128, LINK_HEADERS_BYTES = 14 + 2 * 4 + 4, DESCRIPTORS = 1024 };

/* 0000:03:00.0, the domain may be left out */
static bool is_pci_address(const char *device)
{
	unsigned domain, bus, slot, function;
	int end = 0;
	if (sscanf(device, "%x:%x:%x.%x%n", &domain, &bus, &slot, &function, &end) == 4 && !device[end])
		return true;
	return sscanf(device, "%x:%x.%x%n", &bus, &slot, &function, &end) == 3 && !device[end];
}

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

static void plan_vdev(struct port *port, const char *device)
{
	port->frame_max = RTE_ETHER_MAX_VLAN_FRAME_LEN + 4;
	int length = snprintf(port->argument, sizeof(port->argument), "--vdev=%s", device);
	check_length(length, sizeof(port->argument), device);
	length = snprintf(port->name, sizeof(port->name), "%.*s", (int)strcspn(device, ","), device);
	check_length(length, sizeof(port->name), device);
}

static void plan_pci(struct port *port)
{
	port->frame_max = RTE_ETHER_MAX_VLAN_FRAME_LEN + 4;
	snprintf(port->name, sizeof(port->name), "%s", port->device);
	snprintf(port->argument, sizeof(port->argument), "--allow=%s", port->device);
}

void port_plan(struct port *port, const struct conf_wire *wire, enum wire which)
{
	*port = (struct port){.device = wire->device};
	if (!strncmp(wire->device, "vdev:", 5)) {
		port->kind = PORT_VDEV;
		plan_vdev(port, wire->device + 5);
	} else if (is_pci_address(wire->device)) {
		port->kind = PORT_PCI;
		plan_pci(port);
	} else {
		port->kind = PORT_INTERFACE;
		plan_interface(port, which);
	}
}

static void configure(struct port *port, struct rte_mempool *pool)
{
	struct rte_eth_conf conf = {0};
	uint16_t rx = DESCRIPTORS, tx = DESCRIPTORS;
	int rc = rte_eth_dev_configure(port->id, 1, 1, &conf);
	rc = rc ? rc : rte_eth_dev_adjust_nb_rx_tx_desc(port->id, &rx, &tx);
	int socket = rte_eth_dev_socket_id(port->id);
	unsigned numa = socket < 0 ? 0 : (unsigned)socket;
	rc = rc ? rc : rte_eth_rx_queue_setup(port->id, 0, rx, numa, NULL, pool);
	rc = rc ? rc : rte_eth_tx_queue_setup(port->id, 0, tx, numa, NULL);
	rc = rc ? rc : rte_eth_dev_start(port->id);
	if (rc)
		fatalx("port cannot be started device=%s reason=\"%s\"", port->device, strerror(-rc));
}

/* A packet socket needs no more than the membership that interface.c holds. */
static void take_in_all(struct port *port)
{
	if (port->kind == PORT_INTERFACE)
		return;
	int rc = rte_eth_promiscuous_enable(port->id);
	if (rc && rc != -ENOTSUP)
		log_warnx("port does not take in every frame device=%s reason=\"%s\"", port->device, strerror(-rc));
}

void port_start(struct port *port, struct rte_mempool *pool)
{
	if (rte_eth_dev_get_port_by_name(port->name, &port->id))
		fatalx("device not found device=%s (hint: %s)", port->device,
			port->kind == PORT_PCI ? "is it bound to vfio-pci? dpdk-devbind.py --status" : "see the log above");
	configure(port, pool);
	take_in_all(port);
	if (port->kind != PORT_INTERFACE && rte_eth_dev_get_mtu(port->id, &port->mtu))
		port->mtu = RTE_ETHER_MTU;
	log_info("port started device=%s driver=%s mtu=%u", port->device, port->name, port->mtu);
}
