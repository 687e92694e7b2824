/*
 * libvirt's driver of the host's devices, as far as one in PCI is asked for
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * In the process of the driver under test (harness/driver_process.py). Whatever
 * pci_DDDD_BB_DD_F is asked for is a PCI device; every other name is a network
 * card. Whether the host has it is for the fake sysfs to say (harness/sysfs.py).
 */

#include "stubdom_compat.h"

#include "datatypes.h"
#include "driver.h"

void fakeNodedevRegister(void);

static virNodeDevicePtr
lookup(virConnectPtr conn, const char *name)
{
    return virGetNodeDevice(conn, name);
}

static char *
deviceXml(virNodeDevicePtr device, unsigned int flags)
{
    unsigned int domain;
    unsigned int bus;
    unsigned int slot;
    unsigned int function;

    if (sscanf(device->name, "pci_%x_%x_%x_%x", &domain, &bus, &slot, &function) != 4) {
        return g_strdup_printf(
            "<device><name>%s</name><capability type='net'><interface>eth0</interface></capability></device>",
            device->name);
    }
    return g_strdup_printf(
        "<device><name>%s</name><capability type='pci'><domain>%u</domain><bus>%u</bus><slot>%u</slot>"
        "<function>%u</function><product id='0x10d3'/><vendor id='0x8086'/></capability></device>",
        device->name, domain, bus, slot, function);
}

static virDrvOpenStatus
connectOpen(virConnectPtr conn, virConnectAuthPtr auth, virConf *conf, unsigned int flags)
{
    return VIR_DRV_OPEN_SUCCESS;
}

static int
connectClose(virConnectPtr conn)
{
    return 0;
}

static virHypervisorDriver hypervisorDriver = {
    .name = "nodedev",
    .connectOpen = connectOpen,
    .connectClose = connectClose,
};

static virNodeDeviceDriver nodeDeviceDriver = {
    .name = "fake",
    .nodeDeviceLookupByName = lookup,
    .nodeDeviceGetXMLDesc = deviceXml,
};

static virConnectDriver connectDriver = {
    .localOnly = true,
    .uriSchemes = (const char *[]){"nodedev", NULL},
    .hypervisorDriver = &hypervisorDriver,
};

void
fakeNodedevRegister(void)
{
    if (virSetSharedNodeDeviceDriver(&nodeDeviceDriver) < 0 || virRegisterConnectDriver(&connectDriver, true) < 0) {
        g_error("%s", virGetLastErrorMessage());
    }
}
