/* Preparing a kernel interface; see interface.h. */
#include <errno.h>
#include <ifaddrs.h>
#include <limits.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplane/base/log.h"
#include "interface.h"

struct offload {
	const char *name;
	uint32_t get, set;
};

static const struct offload offloads[] = {
	/* transmit checksum last but one: the kernel turns scatter-gather and segmentation off with it */
	{"tcp-segmentation", ETHTOOL_GTSO, ETHTOOL_STSO},
	{"generic-segmentation", ETHTOOL_GGSO, ETHTOOL_SGSO},
	{"generic-receive", ETHTOOL_GGRO, ETHTOOL_SGRO},
	{"scatter-gather", ETHTOOL_GSG, ETHTOOL_SSG},
	{"transmit-checksum", ETHTOOL_GTXCSUM, ETHTOOL_STXCSUM},
	{"receive-checksum", ETHTOOL_GRXCSUM, ETHTOOL_SRXCSUM},
};

enum { OFFLOADS = sizeof(offloads) / sizeof(offloads[0]) };

static int control_socket(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		fatal("socket");
	return fd;
}

static struct ifreq request(const char *name)
{
	struct ifreq ifr = {0};
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	return ifr;
}

static int ethtool(int fd, const char *name, void *command)
{
	struct ifreq ifr = request(name);
	ifr.ifr_data = command;
	return ioctl(fd, SIOCETHTOOL, &ifr) ? -errno : 0;
}

static uint32_t get_value(int fd, const char *name, uint32_t get)
{
	struct ethtool_value value = {.cmd = get};
	return ethtool(fd, name, &value) ? 0 : value.data;
}

/* Some offloads are fixed, and some do not exist: what counts is what is read back. */
static void turn_off_offload(int fd, const char *name, const struct offload *offload)
{
	if (!get_value(fd, name, offload->get))
		return;
	struct ethtool_value value = {.cmd = offload->set, .data = 0};
	int rc = ethtool(fd, name, &value);
	if (get_value(fd, name, offload->get))
		log_warnx("offload cannot be turned off interface=%s offload=%s reason=\"%s\" (hint: frames on this port may "
			"come merged or with unfinished checksums)", name, offload->name, strerror(-rc));
	else
		log_info("offload turned off interface=%s offload=%s", name, offload->name);
}

static void turn_off_flags(int fd, const char *name)
{
	const uint32_t unwanted = ETH_FLAG_TXVLAN | ETH_FLAG_RXVLAN | ETH_FLAG_LRO;
	uint32_t flags = get_value(fd, name, ETHTOOL_GFLAGS);
	if (!(flags & unwanted))
		return;
	struct ethtool_value value = {.cmd = ETHTOOL_SFLAGS, .data = flags & ~unwanted};
	int rc = ethtool(fd, name, &value);
	if (get_value(fd, name, ETHTOOL_GFLAGS) & unwanted)
		log_warnx("offload cannot be turned off interface=%s offload=vlan reason=\"%s\"", name, strerror(-rc));
	else
		log_info("offload turned off interface=%s offload=vlan", name);
}

static void bring_up(int fd, const char *name)
{
	struct ifreq ifr = request(name);
	if (ioctl(fd, SIOCGIFFLAGS, &ifr))
		fatal("interface flags interface=%s", name);
	if (ifr.ifr_flags & IFF_UP)
		return;
	ifr.ifr_flags |= IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &ifr))
		fatal("interface cannot be brought up interface=%s (hint: run as root)", name);
	log_info("interface brought up interface=%s", name);
}

static void warn_of_addresses(const char *name)
{
	struct ifaddrs *all;
	if (getifaddrs(&all))
		return;
	for (const struct ifaddrs *a = all; a; a = a->ifa_next) {
		if (!a->ifa_addr || strcmp(a->ifa_name, name))
			continue;
		int family = a->ifa_addr->sa_family;
		if (family == AF_INET || family == AF_INET6)
			log_warnx("interface has an address interface=%s family=%s (hint: the guard needs none and must not "
				"be reachable: ip addr flush dev %s)", name, family == AF_INET ? "IPv4" : "IPv6", name);
	}
	freeifaddrs(all);
}

static void warn_of_ipv6(const char *name)
{
	char path[128];
	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", name);
	FILE *f = fopen(path, "re");
	if (!f)
		return;
	if (fgetc(f) == '0')
		log_warnx("interface speaks IPv6 by itself interface=%s (hint: sysctl -w net.ipv6.conf.%s.disable_ipv6=1)", name,
			name);
	fclose(f);
}

/* --- may it be a port at all? --- */

static void list_interfaces(char *list, size_t size)
{
	struct if_nameindex *all = if_nameindex();
	*list = '\0';
	for (const struct if_nameindex *i = all; i && i->if_index; i++) {
		size_t used = strlen(list);
		if (strcmp(i->if_name, "lo") && used + IFNAMSIZ + 2 < size)
			snprintf(list + used, size - used, "%s%s", used ? ", " : "", i->if_name);
	}
	if (all)
		if_freenameindex(all);
}

static void check_found(const char *name)
{
	char list[300];
	if (strlen(name) < IFNAMSIZ && if_nametoindex(name))
		return;
	list_interfaces(list, sizeof(list));
	fatalx("interface not found interface=%s (hint: there are %s; a device that is no interface is written as a PCI "
		"address or vdev:...)", name, *list ? list : "none");
}

static void check_ethernet(int fd, const char *name)
{
	struct ifreq ifr = request(name);
	if (ioctl(fd, SIOCGIFHWADDR, &ifr) || ifr.ifr_hwaddr.sa_family != ARPHRD_ETHER)
		fatalx("interface is not Ethernet interface=%s (hint: a port carries Ethernet frames)", name);
}

static void check_free(const char *name)
{
	char path[64 + IFNAMSIZ], target[PATH_MAX];
	snprintf(path, sizeof(path), "/sys/class/net/%s/master", name);
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	if (n <= 0)
		return;
	target[n] = '\0';
	const char *master = strrchr(target, '/');
	fatalx("interface belongs to a bridge or bond, which would forward frames beside the guard interface=%s master=%s "
		"(hint: ip link set %s nomaster)", name, master ? master + 1 : target, name);
}

void interface_prepare(const char *name)
{
	check_found(name);
	int fd = control_socket();
	check_ethernet(fd, name);
	check_free(name);
	for (unsigned i = 0; i < OFFLOADS; i++)
		turn_off_offload(fd, name, &offloads[i]);
	turn_off_flags(fd, name);
	bring_up(fd, name);
	close(fd);
	warn_of_addresses(name);
	warn_of_ipv6(name);
}

void interface_use_one_queue(const char *name)
{
	int fd = control_socket();
	struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
	int rc = ethtool(fd, name, &channels);
	bool has_one = rc || (channels.rx_count + channels.combined_count <= 1);
	if (!has_one) {
		channels.cmd = ETHTOOL_SCHANNELS;
		channels.combined_count = channels.combined_count > 0;
		channels.rx_count = channels.tx_count = !channels.combined_count;
		rc = ethtool(fd, name, &channels);
		if (rc)
			fatalx("interface has several queues, of which an XDP socket sees one interface=%s reason=\"%s\" (hint: "
				"ethtool -L %s combined 1; or device = %s, without xdp:)", name, strerror(-rc), name, name);
		log_info("interface has one queue now interface=%s", name);
	}
	close(fd);
}

int interface_listen_to_all(const char *name)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd < 0)
		fatal("packet socket interface=%s (hint: run as root)", name);
	struct packet_mreq all = {.mr_ifindex = (int)if_nametoindex(name), .mr_type = PACKET_MR_PROMISC};
	if (setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof(all)))
		fatal("promiscuous membership interface=%s", name);
	return fd;
}

uint16_t interface_mtu(const char *name)
{
	int fd = control_socket();
	struct ifreq ifr = request(name);
	if (ioctl(fd, SIOCGIFMTU, &ifr))
		fatal("interface MTU interface=%s", name);
	close(fd);
	return ifr.ifr_mtu > UINT16_MAX ? UINT16_MAX : (uint16_t)ifr.ifr_mtu;
}
