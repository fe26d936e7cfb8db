/* The links of the two ports; see link.h. */
#include <string.h>

#include <rte_ethdev.h>

#include "dataplane/base/log.h"
#include "dataplane/base/proc.h"
#include "link.h"

static bool is_ours(const struct port *port)
{
	return port->kind == DEVICE_PCI || port->kind == DEVICE_VDEV;
}

static void show(struct worker *worker, enum wire wire)
{
	enum link_state state = worker->port[wire].link;
	counter_set(worker->counters, wire == WIRE_INSIDE ? COUNT_LINK_INSIDE : COUNT_LINK_OUTSIDE, state == LINK_UP);
	counter_set(worker->counters, wire == WIRE_INSIDE ? COUNT_LINK_INSIDE_HELD : COUNT_LINK_OUTSIDE_HELD,
		state == LINK_HELD);
}

void link_init(struct worker *worker)
{
	if (worker->lane.lane)
		return; /* the first lane looks and shows for all */
	for (unsigned w = 0; w < WIRES; w++) {
		worker->looks_at_links |= is_ours(&worker->port[w]);
		show(worker, w);
	}
}

/* What its link does after it was taken up has to be told anew. */
static void take(struct port *port, bool up)
{
	int rc = up ? rte_eth_dev_set_link_up(port->id) : rte_eth_dev_set_link_down(port->id);
	port->link_said = LINK_LOST;
	if (rc)
		log_warnx("port cannot be taken %s device=%s reason=\"%s\" (hint: the link state of the other side is not "
			"passed to what is connected here)", up ? "up" : "down", port->device, strerror(-rc));
}

void link_told(struct worker *worker, enum wire wire, enum link_state state)
{
	struct port *port = &worker->port[wire];
	bool was_held = port->link == LINK_HELD;
	port->link = state;
	if (worker->lane.lane)
		return;
	if (is_ours(port) && was_held != (state == LINK_HELD))
		take(port, was_held);
	show(worker, wire);
}

/* A device that cannot tell is taken to be up. */
static enum link_state look_at(const struct port *port)
{
	struct rte_eth_link link;
	if (rte_eth_link_get_nowait(port->id, &link) || link.link_status == RTE_ETH_LINK_UP)
		return LINK_UP;
	return LINK_LOST;
}

void link_look(struct worker *worker)
{
	if (worker->now < link_due(worker))
		return;
	worker->links_seen_at = worker->now;
	for (unsigned w = 0; w < WIRES; w++) {
		struct port *port = &worker->port[w];
		if (!is_ours(port) || port->link == LINK_HELD)
			continue;
		enum link_state state = look_at(port);
		if (state != port->link_said && !supervisor_tell(worker->supervisor, supervisor_link(w, state)))
			port->link_said = state;
	}
}
