/* How a device is written; see conf_device.h. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "conf_device.h"

static const char xdp[] = "xdp:", vdev[] = "vdev:";

static bool is_pci_address(const char *device)
{
	unsigned domain, bus, slot, function;
	int end = 0;
	if (sscanf(device, "%x:%x:%x.%x%n", &domain, &bus, &slot, &function, &end) == 4 && !device[end])
		return true;
	end = 0;
	return sscanf(device, "%x:%x.%x%n", &bus, &slot, &function, &end) == 3 && !device[end];
}

enum device_kind conf_device_kind(const char *device)
{
	if (!strncmp(device, vdev, sizeof(vdev) - 1))
		return DEVICE_VDEV;
	if (!strncmp(device, xdp, sizeof(xdp) - 1))
		return DEVICE_XDP;
	return is_pci_address(device) ? DEVICE_PCI : DEVICE_INTERFACE;
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
