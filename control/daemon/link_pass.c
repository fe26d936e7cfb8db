/* What is seen of links, and what is done about it; see link_pass.h. */
#include <stdio.h>
#include <string.h>

#include "dataplane/base/conf_device.h"
#include "dataplane/base/log.h"
#include "link_pass.h"

static const char *side_name(enum wire wire)
{
	return wire == WIRE_INSIDE ? "inside" : "outside";
}

static void log_state(const struct link_pass *pass, enum wire wire, enum link_state state)
{
	const char *side = side_name(wire), *device = pass->device[wire];
	if (state == LINK_UP)
		log_info("link is up side=%s device=%s", side, device);
	else if (state == LINK_LOST)
		log_warnx("link is lost side=%s device=%s", side, device);
	else
		log_warnx("port is taken down since the link on the other side is lost side=%s device=%s", side, device);
}

static void tell(struct link_pass *pass, enum wire wire)
{
	enum link_state state = link_pair_state(&pass->pair, wire);
	if (state == pass->told[wire])
		return;
	/* A port that was released has no link at first: that is no news. */
	if (pass->told[wire] != LINK_HELD || state == LINK_UP)
		log_state(pass, wire, state);
	pass->told[wire] = state;
	pass->tell(pass->owner, wire, state);
}

/* The dataplane stops sending to a port before that goes down. A port of its own is taken up and down by itself. */
static void carry_out(struct link_pass *pass, struct link_order order)
{
	bool of_kernel = *pass->kernel.name[order.wire];
	tell(pass, wire_other(order.wire));
	tell(pass, order.wire);
	if (order.deed != LINK_NOTHING && of_kernel)
		link_kernel_set(&pass->kernel, order.wire, order.deed == LINK_RELEASE);
}

static void on_seen(void *owner, enum wire wire, bool up, bool carrier)
{
	struct link_pass *pass = owner;
	if (!pass->running)
		return;
	bool was_held = pass->pair.side[wire].hold != HOLD_NONE;
	carry_out(pass, link_pair_see(&pass->pair, wire, up, carrier, pass->now_ms));
	if (was_held && pass->pair.side[wire].hold == HOLD_NONE)
		log_warnx("somebody else took the port up: it is left alone side=%s device=%s", side_name(wire),
			pass->device[wire]);
}

int link_pass_init(struct link_pass *pass, const struct conf *conf, link_tell_fn tell_dataplane, void *owner)
{
	*pass = (struct link_pass){.passes = conf->passes_link_state, .tell = tell_dataplane, .owner = owner};
	pass->kernel.seen = on_seen;
	pass->kernel.owner = pass;
	for (unsigned w = 0; w < WIRES; w++) {
		pass->device[w] = conf->wire[w].device;
		const char *name = conf_device_interface(pass->device[w]);
		if (name)
			snprintf(pass->kernel.name[w], IFNAMSIZ, "%s", name);
	}
	return link_kernel_open(&pass->kernel);
}

void link_pass_fini(struct link_pass *pass)
{
	link_pass_stop(pass);
	link_kernel_close(&pass->kernel);
}

/* The dataplane begins with the belief that all links are up, and of its own ports tells what is otherwise. */
void link_pass_start(struct link_pass *pass, int64_t now_ms)
{
	if (pass->running)
		return;
	pass->running = true;
	pass->now_ms = now_ms;
	link_pair_init(&pass->pair, pass->passes, now_ms);
	for (unsigned w = 0; w < WIRES; w++)
		pass->told[w] = LINK_UP;
	if (pass->kernel.events)
		link_kernel_look(&pass->kernel);
}

void link_pass_stop(struct link_pass *pass)
{
	for (unsigned w = 0; pass->running && w < WIRES; w++)
		if (link_pair_state(&pass->pair, w) == LINK_HELD && *pass->kernel.name[w]) {
			link_kernel_set(&pass->kernel, w, true);
			log_info("port is taken up again side=%s device=%s", side_name(w), pass->device[w]);
		}
	for (unsigned w = 0; w < WIRES; w++)
		if (conf_device_kind(pass->device[w]) == DEVICE_XDP)
			link_kernel_take_xdp_off(&pass->kernel, w);
	pass->running = false;
}

void link_pass_hear(struct link_pass *pass, enum wire wire, enum link_state state, int64_t now_ms)
{
	pass->now_ms = now_ms;
	if (!*pass->kernel.name[wire] && pass->running)
		carry_out(pass, link_pair_see(&pass->pair, wire, true, state == LINK_UP, now_ms));
}

int link_pass_fd(const struct link_pass *pass)
{
	return link_kernel_fd(&pass->kernel);
}

int64_t link_pass_due(const struct link_pass *pass)
{
	return pass->running ? link_pair_due(&pass->pair) : INT64_MAX;
}

void link_pass_run(struct link_pass *pass, bool readable, int64_t now_ms)
{
	pass->now_ms = now_ms;
	if (readable)
		link_kernel_read(&pass->kernel);
	if (pass->running && link_pair_due(&pass->pair) <= now_ms)
		carry_out(pass, link_pair_tick(&pass->pair, now_ms));
}
