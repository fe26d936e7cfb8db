/* What the kernel says of a PCI device; see pci.h. */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/base/conf_device.h"
#include "pci.h"

enum { NAME_BYTES = 256, ETHERNET_CLASS = 0x0200 };

#define DEVICES "/sys/bus/pci/devices"

void pci_address(const char *device, char address[PCI_ADDRESS_BYTES])
{
	unsigned part[4] = {0};
	conf_device_pci(device, part);
	snprintf(address, PCI_ADDRESS_BYTES, "%04x:%02x:%02x.%x", part[0], part[1], part[2], part[3]);
}

static bool is_there(const char *root, const char *folder, const char *address, const char *name)
{
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s%s/%s/%s", root, folder, address, name);
	return !access(path, F_OK);
}

/* The last part of what a link in the device's folder points at; false: there is no link. */
static bool read_link(const char *root, const char *address, const char *name, char text[NAME_BYTES])
{
	char path[PATH_MAX], target[PATH_MAX];
	snprintf(path, sizeof(path), "%s" DEVICES "/%s/%s", root, address, name);
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	if (n <= 0)
		return false;
	target[n] = '\0';
	const char *slash = strrchr(target, '/');
	snprintf(text, NAME_BYTES, "%.255s", slash ? slash + 1 : target);
	return true;
}

static unsigned read_class(const char *root, const char *address)
{
	char path[PATH_MAX];
	unsigned class = 0;
	snprintf(path, sizeof(path), "%s" DEVICES "/%s/class", root, address);
	FILE *f = fopen(path, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%x", &class) != 1)
		class = 0;
	fclose(f);
	return class >> 8;
}

static void list_ethernet(const char *root, char *list, size_t size)
{
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s" DEVICES, root);
	*list = '\0';
	DIR *dir = opendir(path);
	for (const struct dirent *entry; dir && (entry = readdir(dir));) {
		size_t used = strlen(list), more = strlen(entry->d_name) + 2;
		if (read_class(root, entry->d_name) == ETHERNET_CLASS && used + more < size)
			snprintf(list + used, size - used, "%s%s", used ? ", " : "", entry->d_name);
	}
	if (dir)
		closedir(dir);
}

/* The interface that the kernel made of it, for a hint. */
static bool find_interface(const char *root, const char *address, char name[NAME_BYTES])
{
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s" DEVICES "/%s/net", root, address);
	bool found = false;
	DIR *dir = opendir(path);
	for (const struct dirent *entry; dir && !found && (entry = readdir(dir));)
		if (entry->d_name[0] != '.') {
			snprintf(name, NAME_BYTES, "%s", entry->d_name);
			found = true;
		}
	if (dir)
		closedir(dir);
	return found;
}

static bool is_one_of(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (!strcmp(name, *names))
			return true;
	return false;
}

static void say_missing(const char *root, const char *address, char fault[PCI_FAULT_BYTES])
{
	char list[200];
	list_ethernet(root, list, sizeof(list));
	if (*list)
		snprintf(fault, PCI_FAULT_BYTES, "no such PCI device device=%s (hint: of Ethernet there are %s)", address, list);
	else
		snprintf(fault, PCI_FAULT_BYTES, "no such PCI device device=%s (hint: there is no PCI device of Ethernet; "
			"`lspci -D` lists all)", address);
}

static void say_of_kernel(const char *root, const char *address, const char *driver, char fault[PCI_FAULT_BYTES])
{
	char interface[NAME_BYTES], instead[NAME_BYTES + 40] = "";
	if (find_interface(root, address, interface))
		snprintf(instead, sizeof(instead), "; or device = %.64s", interface);
	snprintf(fault, PCI_FAULT_BYTES, "PCI device is still the kernel's device=%s driver=%.64s (hint: modprobe vfio-pci; "
		"dpdk-devbind.py --bind=vfio-pci %s%s)", address, driver, address, instead);
}

static bool vfio_fault(const char *root, const char *address, char fault[PCI_FAULT_BYTES])
{
	if (!is_there(root, DEVICES, address, "iommu_group"))
		snprintf(fault, PCI_FAULT_BYTES, "no IOMMU for the PCI device device=%s (hint: turn it on in the firmware and on "
			"the kernel's command line, intel_iommu=on or amd_iommu=on; or bind it to uio_pci_generic)", address);
	else if (!is_there(root, "/dev", "vfio", "vfio"))
		snprintf(fault, PCI_FAULT_BYTES, "vfio is not loaded device=%s (hint: modprobe vfio-pci)", address);
	else
		return false;
	return true;
}

bool pci_fault(const char *root, const char *device, char fault[PCI_FAULT_BYTES])
{
	/* Some share the device with their driver in the kernel, some only hand it out. */
	static const char *const shared[] = {"mlx4_core", "mlx5_core", "uio_pci_generic", "igb_uio", NULL};
	char address[PCI_ADDRESS_BYTES], driver[NAME_BYTES];
	pci_address(device, address);
	if (!is_there(root, DEVICES, address, "")) {
		say_missing(root, address, fault);
		return true;
	}
	if (!read_link(root, address, "driver", driver)) {
		snprintf(fault, PCI_FAULT_BYTES, "PCI device has no driver device=%s (hint: modprobe vfio-pci; dpdk-devbind.py "
			"--bind=vfio-pci %s)", address, address);
		return true;
	}
	if (!strcmp(driver, "vfio-pci"))
		return vfio_fault(root, address, fault);
	if (is_one_of(driver, shared))
		return false;
	say_of_kernel(root, address, driver, fault);
	return true;
}
