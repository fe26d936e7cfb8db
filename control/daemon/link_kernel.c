/* Netlink; see link_kernel.h. */
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>

#include "dataplane/base/log.h"
#include "link_kernel.h"

enum { EVENT_BYTES = 1 << 20 }; /* of the receiving socket: a machine with many interfaces may say much at once */

static void see(struct link_kernel *kernel, enum wire wire, struct rtnl_link *link)
{
	unsigned flags = rtnl_link_get_flags(link);
	kernel->seen(kernel->owner, wire, flags & IFF_UP, flags & IFF_LOWER_UP);
}

static void on_link(struct nl_object *object, void *argument)
{
	struct link_kernel *kernel = argument;
	struct rtnl_link *link = (struct rtnl_link *)object;
	int index = rtnl_link_get_ifindex(link), type = nl_object_get_msgtype(object);
	for (unsigned w = 0; w < WIRES; w++) {
		if (!kernel->index[w] || kernel->index[w] != index)
			continue;
		if (type == RTM_DELLINK) {
			log_warnx("interface is gone interface=%s (hint: restart sallyportd when it is back)", kernel->name[w]);
			kernel->index[w] = 0;
			kernel->seen(kernel->owner, w, false, false);
		} else {
			see(kernel, w, link);
		}
	}
}

/* A bridge tells of its ports in messages of the same type: those are of another family. */
static int on_message(struct nl_msg *msg, void *argument)
{
	const struct nlmsghdr *header = nlmsg_hdr(msg);
	const struct ifinfomsg *info = nlmsg_data(header);
	if (nlmsg_datalen(header) >= (int)sizeof(*info) && info->ifi_family == AF_UNSPEC)
		nl_msg_parse(msg, on_link, argument);
	return NL_OK;
}

static int open_events(struct link_kernel *kernel)
{
	nl_socket_disable_seq_check(kernel->events);
	int rc = nl_socket_modify_cb(kernel->events, NL_CB_VALID, NL_CB_CUSTOM, on_message, kernel);
	rc = rc ? rc : nl_connect(kernel->events, NETLINK_ROUTE);
	rc = rc ? rc : nl_socket_set_buffer_size(kernel->events, EVENT_BYTES, 0);
	rc = rc ? rc : nl_socket_add_memberships(kernel->events, RTNLGRP_LINK, 0);
	return rc ? rc : nl_socket_set_nonblocking(kernel->events);
}

int link_kernel_open(struct link_kernel *kernel)
{
	if (!*kernel->name[WIRE_INSIDE] && !*kernel->name[WIRE_OUTSIDE])
		return 0;
	kernel->events = nl_socket_alloc();
	kernel->requests = nl_socket_alloc();
	int rc = kernel->events && kernel->requests ? open_events(kernel) : -NLE_NOMEM;
	rc = rc ? rc : nl_connect(kernel->requests, NETLINK_ROUTE);
	if (rc) {
		log_warnx("links cannot be watched reason=\"%s\"", nl_geterror(rc));
		link_kernel_close(kernel);
	}
	return rc ? -1 : 0;
}

void link_kernel_close(struct link_kernel *kernel)
{
	if (kernel->events)
		nl_socket_free(kernel->events);
	if (kernel->requests)
		nl_socket_free(kernel->requests);
	kernel->events = kernel->requests = NULL;
}

int link_kernel_fd(const struct link_kernel *kernel)
{
	return kernel->events ? nl_socket_get_fd(kernel->events) : -1;
}

void link_kernel_read(struct link_kernel *kernel)
{
	int rc = nl_recvmsgs_default(kernel->events);
	/* Too much was said at once and some of it is lost, which libnl calls so: then all is asked for anew. */
	if (rc == -NLE_NOMEM)
		link_kernel_look(kernel);
	else if (rc && rc != -NLE_AGAIN && rc != -NLE_INTR)
		log_warnx("links cannot be heard reason=\"%s\"", nl_geterror(rc));
}

void link_kernel_look(struct link_kernel *kernel)
{
	for (unsigned w = 0; w < WIRES; w++) {
		struct rtnl_link *link;
		if (!*kernel->name[w])
			continue;
		int rc = rtnl_link_get_kernel(kernel->requests, 0, kernel->name[w], &link);
		kernel->index[w] = rc ? 0 : rtnl_link_get_ifindex(link);
		if (rc) {
			log_warnx("interface cannot be seen interface=%s reason=\"%s\"", kernel->name[w], nl_geterror(rc));
			kernel->seen(kernel->owner, w, false, false);
		} else {
			see(kernel, w, link);
			rtnl_link_put(link);
		}
	}
}

void link_kernel_set(const struct link_kernel *kernel, enum wire wire, bool up)
{
	struct rtnl_link *old = rtnl_link_alloc(), *change = rtnl_link_alloc();
	int rc = !kernel->index[wire] ? -NLE_OBJ_NOTFOUND : old && change ? 0 : -NLE_NOMEM;
	if (!rc) {
		rtnl_link_set_ifindex(old, kernel->index[wire]);
		if (up)
			rtnl_link_set_flags(change, IFF_UP);
		else
			rtnl_link_unset_flags(change, IFF_UP);
		rc = rtnl_link_change(kernel->requests, old, change, 0);
	}
	if (rc)
		log_warnx("interface cannot be taken %s interface=%s reason=\"%s\"", up ? "up" : "down", kernel->name[wire],
			nl_geterror(rc));
	if (old)
		rtnl_link_put(old);
	if (change)
		rtnl_link_put(change);
}

static int put_no_program(struct nl_msg *msg)
{
	struct nlattr *xdp = nla_nest_start(msg, IFLA_XDP | NLA_F_NESTED);
	int rc = xdp ? nla_put_s32(msg, IFLA_XDP_FD, -1) : -NLE_NOMEM;
	if (!rc)
		nla_nest_end(msg, xdp);
	return rc;
}

void link_kernel_take_xdp_off(const struct link_kernel *kernel, enum wire wire)
{
	struct rtnl_link *link;
	if (rtnl_link_get_kernel(kernel->requests, 0, kernel->name[wire], &link))
		return; /* gone, and its program with it */
	struct ifinfomsg info = {.ifi_family = AF_UNSPEC, .ifi_index = rtnl_link_get_ifindex(link)};
	rtnl_link_put(link);
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_SETLINK, NLM_F_REQUEST | NLM_F_ACK);
	int rc = msg ? nlmsg_append(msg, &info, sizeof(info), NLMSG_ALIGNTO) : -NLE_NOMEM;
	rc = rc ? rc : put_no_program(msg);
	if (rc)
		nlmsg_free(msg);
	else
		rc = nl_send_sync(kernel->requests, msg); /* frees it */
	if (rc)
		log_warnx("XDP program cannot be taken off interface=%s reason=\"%s\"", kernel->name[wire], nl_geterror(rc));
}
