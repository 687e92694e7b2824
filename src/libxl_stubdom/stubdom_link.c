/*
 * Whether a network card's cable is plugged in
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Neither libxl nor Xen's backend has such a switch, so the interfaces in dom0
 * are taken down. A card with an emulated half has two of them, and a guest may
 * use either.
 */

#include "stubdom_compat.h"

#include "stubdom_link.h"

#include "virnetdev.h"

#include "stubdom_method.h"

/* The name of the interface the emulated half of @net has in dom0; NULL if there is none. */
static char *
emulatedName(StubdomLibxl *libxl, uint32_t stubdomain, const virDomainNetDef *net)
{
    char mac[VIR_MAC_STRING_BUFLEN];
    libxl_device_nic nic;
    char *name = NULL;

    if (!stubdomain || net->model == VIR_DOMAIN_NET_MODEL_NETFRONT) {
        return NULL;
    }
    libxl_device_nic_init(&nic);
    if (stubdomLibxlFindNic(libxl, stubdomain, virMacAddrFormat(&net->mac, mac), &nic)) {
        name = g_strdup_printf("vif%u.%d", stubdomain, nic.devid);
    }
    libxl_device_nic_dispose(&nic);
    return name;
}

int
stubdomLinkSet(StubdomLibxl *libxl, uint32_t domid, uint32_t stubdomain, const virDomainNetDef *net, bool up)
{
    g_autofree char *emulated = emulatedName(libxl, stubdomain, net);
    virErrorPtr error = NULL;

    if (virNetDevSetOnline(net->ifname, up) < 0) {
        return -1;
    }
    if (!emulated || virNetDevSetOnline(emulated, up) == 0) {
        return 0;
    }
    virErrorPreserveLast(&error);
    ignore_value(virNetDevSetOnline(net->ifname, !up));
    virErrorRestore(&error);
    return -1;
}

int
stubdomLinkApply(const StubdomDriver *driver, virDomainObj *vm)
{
    uint32_t domid = 0;

    if (!stubdomDomid(vm, &domid)) {
        return 0;
    }
    for (size_t i = 0; i < vm->def->nnets; i++) {
        if (vm->def->nets[i]->linkstate == VIR_DOMAIN_NET_INTERFACE_LINK_STATE_DOWN &&
            stubdomLinkSet(driver->libxl, domid, stubdomPrivate(vm)->stubdomain, vm->def->nets[i], false) < 0) {
            return -1;
        }
    }
    return 0;
}
