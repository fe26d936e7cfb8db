/* How a device is written; see conf_device.h. */
#include <stdio.h>
#include <string.h>

#include "conf_device.h"

static const char xdp[] = "xdp:", vdev[] = "vdev:";

/* sscanf() alone would take "0x" and blanks for part of a number. */
bool conf_device_pci(const char *device, unsigned address[4])
{
	int end = 0;
	if (device[strspn(device, "0123456789abcdefABCDEF:.")])
		return false;
	if (sscanf(device, "%x:%x:%x.%x%n", &address[0], &address[1], &address[2], &address[3], &end) == 4 && !device[end])
		return true;
	end = 0;
	address[0] = 0;
	return sscanf(device, "%x:%x.%x%n", &address[1], &address[2], &address[3], &end) == 3 && !device[end];
}

bool conf_device_same(const char *a, const char *b)
{
	unsigned pci_a[4], pci_b[4];
	if (conf_device_pci(a, pci_a) && conf_device_pci(b, pci_b))
		return !memcmp(pci_a, pci_b, sizeof(pci_a));
	return !strcmp(conf_device_name(a), conf_device_name(b));
}

enum device_kind conf_device_kind(const char *device)
{
	if (!strncmp(device, vdev, sizeof(vdev) - 1))
		return DEVICE_VDEV;
	if (!strncmp(device, xdp, sizeof(xdp) - 1))
		return DEVICE_XDP;
	unsigned address[4];
	return conf_device_pci(device, address) ? DEVICE_PCI : DEVICE_INTERFACE;
}

const char *conf_device_name(const char *device)
{
	enum device_kind kind = conf_device_kind(device);
	return device + (kind == DEVICE_VDEV ? sizeof(vdev) - 1 : kind == DEVICE_XDP ? sizeof(xdp) - 1 : 0);
}

const char *conf_device_interface(const char *device)
{
	enum device_kind kind = conf_device_kind(device);
	return kind == DEVICE_INTERFACE || kind == DEVICE_XDP ? conf_device_name(device) : NULL;
}
