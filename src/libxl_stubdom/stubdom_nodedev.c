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

#include "domain_driver.h"
#include "virfile.h"
#include "virhostdev.h"
#include "virkmod.h"

#define BACKEND_NAME "xen"
/* libvirt would load "pciback", which no kernel has under this name any more. */
#define BACKEND_MODULE "xen-pciback"
#define BACKEND_DRIVER "/sys/bus/pci/drivers/pciback"

static int
loadBackend(void)
{
    g_autofree char *output = NULL;

    if (virFileExists(BACKEND_DRIVER)) {
        return 0;
    }
    if (!(output = virKModLoad(BACKEND_MODULE)) || virFileExists(BACKEND_DRIVER)) {
        return 0;
    }
    virReportError(VIR_ERR_OPERATION_FAILED, _("the kernel's module '%s' cannot be loaded: %s"), BACKEND_MODULE,
                   output);
    return -1;
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
    if (!(manager = virHostdevManagerGetDefault()) || loadBackend() < 0) {
        return -1;
    }
    return virDomainDriverNodeDeviceDetachFlags(device, manager, BACKEND_NAME);
}

int
stubdomNodeDeviceDettach(virNodeDevicePtr device)
{
    return stubdomNodeDeviceDetachFlags(device, NULL, 0);
}

int
stubdomNodeDeviceReAttach(virNodeDevicePtr device)
{
    g_autoptr(virHostdevManager) manager = virHostdevManagerGetDefault();

    return manager ? virDomainDriverNodeDeviceReAttach(device, manager) : -1;
}

int
stubdomNodeDeviceReset(virNodeDevicePtr device)
{
    g_autoptr(virHostdevManager) manager = virHostdevManagerGetDefault();

    return manager ? virDomainDriverNodeDeviceReset(device, manager) : -1;
}
