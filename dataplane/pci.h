/* Whether a PCI device can be a port of ours, by what the kernel says of it; before DPDK is asked, which says little. */
#ifndef DATAPLANE_PCI_H
#define DATAPLANE_PCI_H

#include <stdbool.h>
#include <stddef.h>

enum { PCI_ADDRESS_BYTES = 32, PCI_FAULT_BYTES = 400 };

/* 0000:03:00.0 of an address whose domain may be left out. */
void pci_address(const char *device, char address[PCI_ADDRESS_BYTES]) __attribute__((nonnull));

/* Is there a reason why it cannot be used? Then `fault` says which, with a hint. `root` is "" but in tests. */
bool pci_fault(const char *root, const char *device, char fault[PCI_FAULT_BYTES]) __attribute__((nonnull));

#endif
