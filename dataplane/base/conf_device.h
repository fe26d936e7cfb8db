/* What a device in the configuration is, by how it is written. */
#ifndef BASE_CONF_DEVICE_H
#define BASE_CONF_DEVICE_H

#include <stdbool.h>

enum device_kind {
	DEVICE_INTERFACE,              /* eth1: a kernel interface, by packet sockets */
	DEVICE_XDP,                    /* xdp:eth1: the same by XDP sockets */
	DEVICE_PCI,                    /* 0000:03:00.0, the domain may be left out */
	DEVICE_VDEV,                   /* vdev:...: any virtual device of DPDK */
};

enum device_kind conf_device_kind(const char *device) __attribute__((nonnull));

/* Are they one and the same, however they are written? */
bool conf_device_same(const char *a, const char *b) __attribute__((nonnull));

/* Domain, bus, slot, function; false: it is no PCI address. */
bool conf_device_pci(const char *device, unsigned address[4]) __attribute__((nonnull));

/* Without "xdp:" or "vdev:". */
const char *conf_device_name(const char *device) __attribute__((nonnull));

/* The name of the kernel interface that it is, or NULL. */
const char *conf_device_interface(const char *device) __attribute__((nonnull));

#endif
