/*
 * PCI devices that reach no memory while they are nobody's
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libxl gives a device to the stubdomain first, which may program it at once,
 * and to the guest last: only then do the tables of the IOMMU change. Until
 * then a device that dom0's driver just let go of reaches all of dom0's memory.
 * So it is given to nobody before, which Xen calls quarantine (DOMID_IO). Xen
 * itself does that when a guest's device is taken away (deassign_device() of
 * Xen 4.17, unless it was built or started otherwise): a device that goes back
 * to a driver of dom0's must leave it, or its DMA fails.
 *
 * Not to be mixed up with the quarantine of a device whose reset failed, which
 * is the driver's own (stubdom_hostdev_host.c).
 */

#include "stubdom_compat.h"

#include "stubdom_isolation.h"

VIR_LOG_INIT("stubdom.isolation");

static void
fill(libxl_device_pci *pci, const virPCIDeviceAddress *address)
{
    libxl_device_pci_init(pci);
    pci->domain = (int)address->domain;
    pci->bus = (uint8_t)address->bus;
    pci->dev = (uint8_t)address->slot;
    pci->func = (uint8_t)address->function;
}

int
stubdomIsolate(const StubdomDriver *driver, const virPCIDeviceAddress *address)
{
    g_autofree char *name = virPCIDeviceAddressAsString(address);
    g_autofree char *text = NULL;
    libxl_device_pci pci;
    int rc;

    fill(&pci, address);
    rc = libxl_device_pci_assignable_add(driver->libxl->ctx, &pci, 0);
    libxl_device_pci_dispose(&pci);
    if (rc == 0) {
        return 0;
    }
    text = stubdomLibxlErrorText(driver->libxl, rc);
    virReportError(VIR_ERR_OPERATION_FAILED,
                   _("PCI device %s cannot be cut off from dom0's memory before a stubdomain has it: %s"), name, text);
    return -1;
}

void
stubdomIsolationEnd(const StubdomDriver *driver, const virPCIDeviceAddress *address)
{
    libxl_device_pci pci;
    int rc;

    fill(&pci, address);
    rc = libxl_device_pci_assignable_remove(driver->libxl->ctx, &pci, 0);
    libxl_device_pci_dispose(&pci);
    if (rc != 0) {
        g_autofree char *name = virPCIDeviceAddressAsString(address);
        g_autofree char *text = stubdomLibxlErrorText(driver->libxl, rc);

        VIR_WARN("PCI device %s was not cut off from dom0's memory, or still is: %s", name, text);
    }
}
