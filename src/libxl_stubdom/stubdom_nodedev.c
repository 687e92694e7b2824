/*
 * PCI devices of the host
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Taking one from dom0 for guests, and giving it back. libvirt's manager of
 * host devices is one for the whole process, so that the stock Xen driver and
 * this one never give a device away twice. The ACL is checked by the functions
 * called here, which know the device.
 */

#include "stubdom_compat.h"

#include "stubdom_nodedev.h"

#include "datatypes.h"
#include "domain_driver.h"
#include "virhostdev.h"

#include "stubdom_conf.h"
#include "stubdom_hostdev_host.h"

#include "host/host_pci.h"

#define BACKEND_NAME "xen"
#define ADDRESS_PARTS 5

/* "DDDD:BB:DD.F" of libvirt's name pci_DDDD_BB_DD_F, or NULL. */
static char *
addressOf(virNodeDevicePtr device)
{
    g_auto(GStrv) parts = g_strsplit(device->name, "_", -1);

    return g_strv_length(parts) == ADDRESS_PARTS
               ? g_strdup_printf("%s:%s:%s.%s", parts[1], parts[2], parts[3], parts[4])
               : NULL;
}

/* Its quarantine ends. */
static int
pardon(virNodeDevicePtr device, bool reset)
{
    g_autofree char *address = addressOf(device);

    return address ? stubdomHostdevPardon(device->conn->privateData, address, reset) : 0;
}

int
stubdomNodeDeviceDetachFlags(virNodeDevicePtr device, const char *name, unsigned int flags)
{
    g_autoptr(virHostdevManager) manager = NULL;

    virCheckFlags(0, -1);
    if (name && STRNEQ(name, BACKEND_NAME)) {
        virReportError(VIR_ERR_INVALID_ARG, _("there is no driver '%s' for host devices of a domain; there is '%s'"),
                       name, BACKEND_NAME);
        return -1;
    }
    if (!(manager = virHostdevManagerGetDefault()) || stubdomHostdevLoadBackend() < 0) {
        return -1;
    }
    return virDomainDriverNodeDeviceDetachFlags(device, manager, BACKEND_NAME);
}

int
stubdomNodeDeviceDettach(virNodeDevicePtr device)
{
    return stubdomNodeDeviceDetachFlags(device, NULL, 0);
}

/* Whether xen-pciback has it, or has taken it again, as its list has it. */
static bool
isTaken(virNodeDevicePtr device)
{
    const StubdomDriver *driver = device->conn->privateData;
    g_autofree char *address = addressOf(device);
    g_autofree char *bound = address ? hostPciDriver(driver->sysDir, address) : NULL;

    return STREQ_NULLABLE(bound, STUBDOM_HOSTDEV_BACKEND);
}

/* The list is changed only after the first attempt, which finds out whether the caller may and whether a domain has the
 * device. */
int
stubdomNodeDeviceReAttach(virNodeDevicePtr device)
{
    g_autoptr(virHostdevManager) manager = virHostdevManagerGetDefault();

    if (!manager || virDomainDriverNodeDeviceReAttach(device, manager) < 0) {
        return -1;
    }
    if (isTaken(device)) {
        g_autofree char *address = addressOf(device);

        stubdomHostdevUnlist(address);
        if (virDomainDriverNodeDeviceReAttach(device, manager) < 0) {
            return -1;
        }
    }
    return pardon(device, false);
}

int
stubdomNodeDeviceReset(virNodeDevicePtr device)
{
    g_autoptr(virHostdevManager) manager = virHostdevManagerGetDefault();

    if (!manager || virDomainDriverNodeDeviceReset(device, manager) < 0) {
        return -1;
    }
    return pardon(device, true);
}
