/* What is said of a PCI device that cannot be used, in made-up trees of /sys and /dev. */
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "dataplane/base/conf_device.h"
#include "dataplane/pci.h"

#define DEVICE "/sys/bus/pci/devices/0000:03:00.0"

struct tree {
	char root[64];
};

/* A folder and all above it. */
static void folder(const struct tree *tree, const char *path)
{
	char whole[200];
	snprintf(whole, sizeof(whole), "%s%s/", tree->root, path);
	for (char *slash = whole + strlen(tree->root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(whole, 0700);
		*slash = '/';
	}
	assert_int_equal(access(whole, F_OK), 0);
}

static void text(const struct tree *tree, const char *path, const char *content)
{
	char whole[200];
	snprintf(whole, sizeof(whole), "%s%s", tree->root, path);
	FILE *f = fopen(whole, "we");
	assert_non_null(f);
	fputs(content, f);
	assert_int_equal(fclose(f), 0);
}

static void driver(const struct tree *tree, const char *name)
{
	char whole[200], target[100];
	snprintf(whole, sizeof(whole), "%s" DEVICE "/driver", tree->root);
	snprintf(target, sizeof(target), "../../bus/pci/drivers/%s", name);
	unlink(whole);
	assert_int_equal(symlink(target, whole), 0);
}

static int make(void **state)
{
	static struct tree tree;
	snprintf(tree.root, sizeof(tree.root), "/tmp/pci_test.XXXXXX");
	*state = &tree;
	if (!mkdtemp(tree.root))
		return -1;
	folder(&tree, DEVICE);
	text(&tree, DEVICE "/class", "0x020000\n");
	folder(&tree, "/sys/bus/pci/devices/0000:00:1f.2");
	text(&tree, "/sys/bus/pci/devices/0000:00:1f.2/class", "0x010601\n");
	return 0;
}

static int delete(const char *path, const struct stat *status, int kind, struct FTW *at)
{
	(void)status, (void)kind, (void)at;
	return remove(path);
}

static int clean(void **state)
{
	const struct tree *tree = *state;
	return nftw(tree->root, delete, 8, FTW_DEPTH | FTW_PHYS);
}

static void says(const struct tree *tree, const char *device, const char *what, const char *hint)
{
	char fault[PCI_FAULT_BYTES] = "";
	assert_true(pci_fault(tree->root, device, fault));
	if (strncmp(fault, what, strlen(what)) || !strstr(fault, hint))
		fail_msg("%s", fault);
}

static void addresses_are_made_whole(void **state)
{
	(void)state;
	char address[PCI_ADDRESS_BYTES];
	pci_address("3:0.1", address);
	assert_string_equal(address, "0000:03:00.1");
	pci_address("0001:0A:1f.7", address);
	assert_string_equal(address, "0001:0a:1f.7");
}

static void devices_are_known_by_how_they_are_written(void **state)
{
	(void)state;
	static const struct {
		const char *device;
		enum device_kind kind;
		const char *name, *interface;
	} rows[] = {
		{"eth1", DEVICE_INTERFACE, "eth1", "eth1"},
		{"enp3s0f1.7", DEVICE_INTERFACE, "enp3s0f1.7", "enp3s0f1.7"},
		{"xdp:eth1", DEVICE_XDP, "eth1", "eth1"},
		{"vdev:net_tap0,iface=t", DEVICE_VDEV, "net_tap0,iface=t", NULL},
		{"03:00.0", DEVICE_PCI, "03:00.0", NULL},
		{"0000:03:00.0", DEVICE_PCI, "0000:03:00.0", NULL},
		{"03:00.0x", DEVICE_INTERFACE, "03:00.0x", "03:00.0x"},
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(conf_device_kind(rows[i].device), rows[i].kind);
		assert_string_equal(conf_device_name(rows[i].device), rows[i].name);
		const char *interface = conf_device_interface(rows[i].device);
		assert_true(rows[i].interface ? interface && !strcmp(interface, rows[i].interface) : !interface);
	}
	assert_true(conf_device_same("3:0.1", "0000:03:00.1"));
	assert_false(conf_device_same("3:0.1", "0001:03:00.1"));
	assert_true(conf_device_same("xdp:eth1", "eth1"));
	assert_false(conf_device_same("eth1", "eth2"));
}

static void names_those_that_are_there(void **state)
{
	says(*state, "04:00.0", "no such PCI device device=0000:04:00.0", "of Ethernet there are 0000:03:00.0)");
}

static void says_when_there_are_none(void **state)
{
	struct tree *tree = *state;
	text(tree, DEVICE "/class", "0x030000\n");
	says(tree, "04:00.0", "no such PCI device device=0000:04:00.0", "no PCI device of Ethernet");
	struct tree nothing = {"/nowhere/at/all"};
	says(&nothing, "04:00.0", "no such PCI device", "lspci");
}

static void has_no_driver(void **state)
{
	says(*state, "03:00.0", "PCI device has no driver device=0000:03:00.0", "dpdk-devbind.py --bind=vfio-pci 0000:03:00.0");
}

static void is_the_kernels(void **state)
{
	struct tree *tree = *state;
	driver(tree, "ixgbe");
	says(tree, "0000:03:00.0", "PCI device is still the kernel's device=0000:03:00.0 driver=ixgbe",
		"dpdk-devbind.py --bind=vfio-pci 0000:03:00.0)");
	folder(tree, DEVICE "/net/eth7");
	says(tree, "0000:03:00.0", "PCI device is still the kernel's", "; or device = eth7)");
}

static void vfio_wants_an_iommu(void **state)
{
	struct tree *tree = *state;
	driver(tree, "vfio-pci");
	says(tree, "0000:03:00.0", "no IOMMU for the PCI device device=0000:03:00.0", "intel_iommu=on");
	folder(tree, DEVICE "/iommu_group");
	says(tree, "0000:03:00.0", "vfio is not loaded", "modprobe vfio-pci");
	folder(tree, "/dev/vfio");
	text(tree, "/dev/vfio/vfio", "");
	char fault[PCI_FAULT_BYTES];
	assert_false(pci_fault(tree->root, "0000:03:00.0", fault));
}

static void others_will_do(void **state)
{
	static const char *const names[] = {"uio_pci_generic", "igb_uio", "mlx5_core", "mlx4_core"};
	char fault[PCI_FAULT_BYTES];
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		driver(*state, names[i]);
		assert_false(pci_fault(((struct tree *)*state)->root, "03:00.0", fault));
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, make, clean)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(addresses_are_made_whole),
		T(devices_are_known_by_how_they_are_written),
		T(names_those_that_are_there),
		T(says_when_there_are_none),
		T(has_no_driver),
		T(is_the_kernels),
		T(vfio_wants_an_iommu),
		T(others_will_do),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
