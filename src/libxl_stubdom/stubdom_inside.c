/*
 * What is inside a guest
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * As far as it can be known from outside: there is no agent, as there is no
 * channel it could be reached by.
 */

#include "stubdom_compat.h"

#include "stubdom_inside.h"

#include "viraccessapicheck.h"

#include "stubdom_list.h"
#include "stubdom_method.h"

/* --- network -------------------------------------------------------------------------- */

/* A copy of the running domain's definition, as the network driver is asked with the domain unlocked. Takes @vm over.
 * libvirt's copies leave out the names of network interfaces in the host, which libxl made. */
static virDomainDef *
takeDefinition(const StubdomDriver *driver, virDomainObj *vm, bool allowed)
{
    virDomainDef *def = NULL;

    if (allowed && stubdomDomainCheckActive(vm) == 0) {
        def = virDomainDefCopy(vm->def, driver->xmlopt, NULL, false);
        for (size_t i = 0; def && i < def->nnets; i++) {
            g_free(def->nets[i]->ifname);
            def->nets[i]->ifname = g_strdup(vm->def->nets[i]->ifname);
        }
    }
    virDomainObjEndAPI(&vm);
    return def;
}

int
stubdomDomainInterfaceAddresses(virDomainPtr dom, virDomainInterfacePtr **interfaces, unsigned int source,
                                unsigned int flags)
{
    g_autoptr(virDomainDef) def = NULL;
    virDomainObj *vm = NULL;

    virCheckFlags(0, -1);
    if (!(vm = stubdomDomainFind(dom)) ||
        !(def = takeDefinition(dom->conn->privateData, vm,
                               virDomainInterfaceAddressesEnsureACL(dom->conn, vm->def, source) == 0))) {
        return -1;
    }
    switch (source) {
    case VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE:
        return virDomainNetDHCPInterfaces(def, interfaces);
    case VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP:
        return virDomainNetARPInterfaces(def, interfaces);
    default:
        virReportError(VIR_ERR_ARGUMENT_UNSUPPORTED, "%s",
                       _("there is no agent in the guest to ask; possible sources are 'lease' and 'arp'"));
        return -1;
    }
}

/* The name a card's lease was given to, or NULL. */
static char *
leaseName(virConnectPtr network, const virDomainNetDef *net)
{
    g_autoptr(virNetwork) found = NULL;
    virNetworkDHCPLeasePtr *leases = NULL;
    char mac[VIR_MAC_STRING_BUFLEN];
    char *name = NULL;
    int count = 0;

    if (net->type != VIR_DOMAIN_NET_TYPE_NETWORK ||
        !(found = virNetworkLookupByName(network, net->data.network.name)) ||
        (count = virNetworkGetDHCPLeases(found, virMacAddrFormat(&net->mac, mac), &leases, 0)) < 0) {
        virResetLastError();
        return NULL;
    }
    for (int i = 0; i < count; i++) {
        if (!name && leases[i]->hostname) {
            name = g_strdup(leases[i]->hostname);
        }
        virNetworkDHCPLeaseFree(leases[i]);
    }
    g_free(leases);
    return name;
}

char *
stubdomDomainGetHostname(virDomainPtr dom, unsigned int flags)
{
    g_autoptr(virDomainDef) def = NULL;
    g_autoptr(virConnect) network = NULL;
    virDomainObj *vm = NULL;
    char *name = NULL;

    virCheckFlags(VIR_DOMAIN_GET_HOSTNAME_LEASE, NULL);
    if (!(vm = stubdomDomainFind(dom)) ||
        !(def = takeDefinition(dom->conn->privateData, vm, virDomainGetHostnameEnsureACL(dom->conn, vm->def) == 0)) ||
        !(network = virGetConnectNetwork())) {
        return NULL;
    }
    for (size_t i = 0; i < def->nnets && !name; i++) {
        name = leaseName(network, def->nets[i]);
    }
    if (!name) {
        virReportError(VIR_ERR_NO_HOSTNAME, _("no network of libvirt's has given the domain '%s' a lease with a name"),
                       def->name);
    }
    return name;
}

/* --- time ------------------------------------------------------------------------------- */

static int
noAgent(void)
{
    virReportError(VIR_ERR_OPERATION_UNSUPPORTED, "%s",
                   _("the guest's clock can be read and set by an agent in it only, and there is no channel to one"));
    return -1;
}

int
stubdomDomainGetTime(virDomainPtr dom, long long *seconds, unsigned int *nseconds, unsigned int flags)
{
    virDomainObj *vm = NULL;
    int allowed;

    virCheckFlags(0, -1);
    if (!(vm = stubdomDomainFind(dom))) {
        return -1;
    }
    allowed = virDomainGetTimeEnsureACL(dom->conn, vm->def);
    virDomainObjEndAPI(&vm);
    return allowed < 0 ? -1 : noAgent();
}

int
stubdomDomainSetTime(virDomainPtr dom, long long seconds, unsigned int nseconds, unsigned int flags)
{
    virDomainObj *vm = NULL;
    int allowed;

    virCheckFlags(VIR_DOMAIN_TIME_SYNC, -1);
    if (!(vm = stubdomDomainFind(dom))) {
        return -1;
    }
    allowed = virDomainSetTimeEnsureACL(dom->conn, vm->def);
    virDomainObjEndAPI(&vm);
    return allowed < 0 ? -1 : noAgent();
}

/* --- others -------------------------------------------------------------------------------- */

/* To the first vCPU, as xl does. A short call. */
int
stubdomDomainInjectNMI(virDomainPtr dom, unsigned int flags)
{
    const StubdomDriver *driver = dom->conn->privateData;
    virDomainObj *vm = NULL;
    uint32_t domid = 0;
    int result = -1;
    int rc;

    virCheckFlags(0, -1);
    if (!(vm = stubdomDomainFind(dom))) {
        return -1;
    }
    if (virDomainInjectNMIEnsureACL(dom->conn, vm->def) == 0 && stubdomDomainBeginJob(vm, VIR_JOB_MODIFY, true) == 0) {
        if (stubdomDomid(vm, &domid) &&
            (rc = libxl_send_trigger(driver->libxl->ctx, domid, LIBXL_TRIGGER_NMI, 0, NULL)) != 0) {
            stubdomLibxlError(driver->libxl, rc, _("Xen does not send an NMI to the guest"));
        } else {
            result = 0;
        }
        virDomainObjEndJob(vm);
    }
    virDomainObjEndAPI(&vm);
    return result;
}

/* There is no security model, so no label. */
int
stubdomDomainGetSecurityLabel(virDomainPtr dom, virSecurityLabelPtr label)
{
    virDomainObj *vm = stubdomDomainFind(dom);
    int result = -1;

    memset(label, 0, sizeof(*label));
    if (vm && virDomainGetSecurityLabelEnsureACL(dom->conn, vm->def) == 0) {
        result = 0;
    }
    virDomainObjEndAPI(&vm);
    return result;
}
