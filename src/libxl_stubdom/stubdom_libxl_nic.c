/*
 * A network card as libxl wants it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A card of the guest is two network interfaces of dom0: one for its PV driver,
 * one for the emulated card in the stubdomain. What is said about a card must
 * hold for both, or it is refused. A card on a libvirt network has its bridge
 * from the network when it is started (stubdom_prepare.c).
 */

#include "stubdom_compat.h"

#include "stubdom_libxl_nic.h"

#include "stubdom_refusal.h"

#define BYTES_PER_KIB 1024ULL
#define RATE_INTERVAL 50000U /* microseconds, xl-network-configuration(5) */
#define EMULATED_MAX 8       /* of a stubdomain, DM_PLAN_NICS_MAX */

/* Cards of QEMU's that the stubdomain's has, each with its option ROM for booting (image/stubimage/contents.py). */
static const char *const models[] = {
    "e1000", "e1000e", "rtl8139", "ne2k_pci", "pcnet", "i82550", "i82551", "i82557b", "i82559er", "vmxnet3",
};

static int
buildModel(libxl_device_nic *to, const virDomainNetDef *net, const char *mac)
{
    const char *model = virDomainNetGetModelString(net);

    if (net->model == VIR_DOMAIN_NET_MODEL_NETFRONT) {
        to->nictype = LIBXL_NIC_TYPE_VIF;
        return 0;
    }
    to->nictype = LIBXL_NIC_TYPE_VIF_IOEMU;
    if (!model) {
        return 0;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(models); i++) {
        if (g_str_equal(models[i], model)) {
            to->model = g_strdup(model);
            return 0;
        }
    }
    if (g_str_has_prefix(model, "virtio")) {
        return stubdomRefuse("interface", mac,
                             _("its model is '%s', for which Xen has its own: netfront, or e1000 for guests without "
                               "Xen's drivers"),
                             model);
    }
    return stubdomRefuse("interface", mac,
                         _("its model is '%s'; possible are netfront, e1000, e1000e, rtl8139, ne2k_pci, pcnet, i82550, "
                           "i82551, i82557b, i82559er and vmxnet3"),
                         model);
}

static int
buildNetwork(libxl_device_nic *to, const virDomainNetDef *net, const char *mac)
{
    virDomainNetType type = virDomainNetGetActualType(net);

    if (type == VIR_DOMAIN_NET_TYPE_BRIDGE || type == VIR_DOMAIN_NET_TYPE_NETWORK) {
        if (net->script && net->type == VIR_DOMAIN_NET_TYPE_NETWORK) {
            return stubdomRefuse("interface", mac, _("a script can be set for the types bridge and ethernet"));
        }
        to->bridge = g_strdup(virDomainNetGetActualBridgeName(net));
        return 0;
    }
    if (type == VIR_DOMAIN_NET_TYPE_ETHERNET) {
        return net->script ? 0
                           : stubdomRefuse("interface", mac,
                                           _("its type is 'ethernet', which needs a <script> that connects it"));
    }
    if (net->type == VIR_DOMAIN_NET_TYPE_NETWORK) {
        return stubdomRefuse("interface", mac,
                             _("the network '%s' connects guests by '%s'; the forward modes nat, route, open, none, "
                               "hostdev, and bridge with a <bridge> are possible"),
                             net->data.network.name, virDomainNetTypeToString(type));
    }
    return stubdomRefuse("interface", mac, _("its type is '%s'; possible are bridge, network, ethernet and hostdev"),
                         virDomainNetTypeToString(type));
}

/* Xen limits what a guest sends, to an average. */
static int
buildBandwidth(libxl_device_nic *to, const virDomainNetDef *net, const char *mac)
{
    const virNetDevBandwidth *bandwidth = virDomainNetGetActualBandwidth(net);

    if (!bandwidth) {
        return 0;
    }
    if (bandwidth->in) {
        return stubdomRefuse("interface", mac,
                             _("there is a limit for what it receives, which Xen's backend cannot do"));
    }
    if (bandwidth->out) {
        to->rate_interval_usecs = RATE_INTERVAL;
        to->rate_bytes_per_interval =
            bandwidth->out->average * BYTES_PER_KIB * RATE_INTERVAL / (uint64_t)G_USEC_PER_SEC;
    }
    return 0;
}

/* A card on a network whose port is not allocated yet may turn out to be a device of the host, which can have one. */
static int
checkAddress(const virDomainNetDef *net, const char *mac)
{
    bool open = net->type == VIR_DOMAIN_NET_TYPE_NETWORK && !net->data.network.actual;

    return net->info.type == VIR_DOMAIN_DEVICE_ADDRESS_TYPE_PCI && !open
               ? stubdomRefuse("interface", mac, _("it has an <address> in the guest, which libxl chooses"))
               : 0;
}

int
stubdomLibxlNicBuild(libxl_device_nic *to, const virDomainNetDef *net, int devid)
{
    char mac[VIR_MAC_STRING_BUFLEN];

    virMacAddrFormat(&net->mac, mac);
    to->devid = devid;
    virMacAddrGetRaw(&net->mac, to->mac);
    to->ifname = g_strdup(net->ifname);
    to->script = g_strdup(net->script);
    if (buildNetwork(to, net, mac) < 0 || buildBandwidth(to, net, mac) < 0 || checkAddress(net, mac) < 0) {
        return -1;
    }
    return buildModel(to, net, mac);
}

int
stubdomLibxlNicNumber(const virDomainDef *def, size_t index)
{
    int number = 0;

    for (size_t i = 0; i < index; i++) {
        number += virDomainNetGetActualType(def->nets[i]) == VIR_DOMAIN_NET_TYPE_HOSTDEV ? 0 : 1;
    }
    return number;
}

int
stubdomLibxlNicsBuild(StubdomLibxlConfig *config, const virDomainDef *def)
{
    size_t emulated = 0;

    config->nics = g_new0(libxl_device_nic, def->nnets);
    for (size_t i = 0; i < def->nnets; i++) {
        libxl_device_nic *nic = &config->nics[config->num_nics];
        char mac[VIR_MAC_STRING_BUFLEN];

        if (virDomainNetGetActualType(def->nets[i]) == VIR_DOMAIN_NET_TYPE_HOSTDEV) {
            continue; /* a device of the host: stubdom_libxl_pci.c */
        }
        libxl_device_nic_init(nic);
        config->num_nics++;
        if (stubdomLibxlNicBuild(nic, def->nets[i], stubdomLibxlNicNumber(def, i)) < 0) {
            return -1;
        }
        if (nic->nictype == LIBXL_NIC_TYPE_VIF_IOEMU && ++emulated > EMULATED_MAX) {
            return stubdomRefuse("interface", virMacAddrFormat(&def->nets[i]->mac, mac),
                                 _("a stubdomain can have %d emulated cards; more can have the model netfront"),
                                 EMULATED_MAX);
        }
    }
    return 0;
}
