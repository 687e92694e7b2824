/*
 * What a domain needs of other drivers before it is started
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A definition may name a libvirt network and the volume of a pool. Where they
 * are is asked when a domain is started, not when it is defined: networks and
 * pools come and go. The answers go into the live definition alone, where the
 * translation for libxl finds them.
 */

#include "stubdom_compat.h"

#include "stubdom_prepare.h"

#include "datatypes.h"
#include "driver.h"

#include "stubdom_libxl_nic.h"
#include "stubdom_libxl_pci.h"
#include "stubdom_refusal.h"

VIR_LOG_INIT("stubdom.prepare");

/* What the storage driver says the volume is, as its XML; NULL with an error reported. */
static char *
volumeXml(const virStorageSourcePoolDef *place)
{
    g_autoptr(virConnect) connection = virGetConnectStorage();
    g_autoptr(virStoragePool) pool = connection ? virStoragePoolLookupByName(connection, place->pool) : NULL;
    g_autoptr(virStorageVol) volume = pool ? virStorageVolLookupByName(pool, place->volume) : NULL;

    return volume ? virStorageVolGetXMLDesc(volume, 0) : NULL;
}

/* The definition says raw. A volume that is not would be overwritten by a guest that takes it for a disk. */
static int
checkFormat(const virDomainDiskDef *disk)
{
    g_autofree char *xml = volumeXml(disk->src->srcpool);
    g_autoptr(xmlXPathContext) ctxt = NULL;
    g_autoptr(xmlDoc) document = xml ? virXMLParseStringCtxt(xml, "(volume)", &ctxt) : NULL;
    g_autofree char *format = document ? virXPathString("string(/volume/target/format/@type)", ctxt) : NULL;
    int type = format ? virStorageFileFormatTypeFromString(format) : VIR_STORAGE_FILE_RAW;

    if (!document) {
        return -1;
    }
    if (type > VIR_STORAGE_FILE_RAW && type != VIR_STORAGE_FILE_ISO) {
        return stubdomRefuse("disk", disk->dst,
                             _("the volume '%s' has the format '%s'; without a QEMU in dom0 there is only raw: convert "
                               "it with qemu-img convert -O raw"),
                             disk->src->srcpool->volume, format);
    }
    return 0;
}

int
stubdomPrepareDisk(virDomainDiskDef *disk)
{
    if (disk->src->type != VIR_STORAGE_TYPE_VOLUME) {
        return 0;
    }
    return virDomainDiskTranslateSourcePool(disk) < 0 ? -1 : checkFormat(disk);
}

/* The network gave one of the host's virtual functions. */
static int
checkFunction(virDomainNetDef *net)
{
    virDomainHostdevDef *hostdev = virDomainNetGetActualHostdev(net);
    libxl_device_pci pci;
    int result;

    if (!stubdomCompatPciDriver(hostdev)) {
        stubdomCompatPciUseXen(hostdev);
    }
    libxl_device_pci_init(&pci);
    result = stubdomLibxlPciBuild(&pci, hostdev, NULL);
    libxl_device_pci_dispose(&pci);
    return result;
}

/* What the network gave must be something Xen can connect the card to. */
static int
checkAllocated(virDomainNetDef *net)
{
    libxl_device_nic nic;
    int result;

    if (virDomainNetGetActualType(net) == VIR_DOMAIN_NET_TYPE_HOSTDEV) {
        return checkFunction(net);
    }

    libxl_device_nic_init(&nic);
    result = stubdomLibxlNicBuild(&nic, net, 0);
    if (result == 0 && !nic.bridge) {
        virReportError(VIR_ERR_OPERATION_FAILED, _("the network '%s' has no bridge: is it started?"),
                       net->data.network.name);
        result = -1;
    }
    libxl_device_nic_dispose(&nic);
    return result;
}

int
stubdomPrepareNet(virDomainDef *def, virDomainNetDef *net)
{
    g_autoptr(virConnect) connection = NULL;

    if (net->type != VIR_DOMAIN_NET_TYPE_NETWORK) {
        return 0;
    }
    if (!(connection = virGetConnectNetwork()) || virDomainNetAllocateActualDevice(connection, def, net) < 0) {
        return -1;
    }
    if (checkAllocated(net) < 0) {
        stubdomReleaseNet(def, net);
        return -1;
    }
    return 0;
}

void
stubdomReleaseNet(virDomainDef *def, virDomainNetDef *net)
{
    g_autoptr(virConnect) connection = NULL;
    virErrorPtr before = NULL;

    if (net->type != VIR_DOMAIN_NET_TYPE_NETWORK || !net->data.network.actual) {
        return;
    }
    virErrorPreserveLast(&before);
    virResetLastError();
    connection = virGetConnectNetwork();
    if (connection) {
        /* It returns -1 in any case with libvirt 9.0: only an error says that it failed. */
        ignore_value(virDomainNetReleaseActualDevice(connection, def, net));
    }
    if (virGetLastErrorCode() != VIR_ERR_OK) {
        VIR_WARN("domain '%s': its port of the network '%s' cannot be given back: %s", def->name,
                 net->data.network.name, virGetLastErrorMessage());
    }
    g_clear_pointer(&net->data.network.actual, virDomainActualNetDefFree);
    virErrorRestore(&before);
}

/* --- all devices of a domain --------------------------------------------------------------- */

/*
 * The other drivers are asked with the domain unlocked, and what they answer is
 * written into copies of the devices, as others read the definition meanwhile.
 * The copies share with their originals what is only read; that does not
 * change, as the caller has the job. Until they are given back, a card has
 * what was allocated for it in its copy alone.
 */
typedef struct {
    virDomainDef *def;
    virDomainDiskDef *disks; /* with a source of their own if it is a volume */
    virDomainNetDef *nets;
} Copies;

/* Locked. */
static void
copiesTake(Copies *copies, virDomainDef *def)
{
    copies->def = def;
    copies->disks = g_new0(virDomainDiskDef, def->ndisks);
    copies->nets = g_new0(virDomainNetDef, def->nnets);
    for (size_t i = 0; i < def->ndisks; i++) {
        copies->disks[i] = *def->disks[i];
        if (def->disks[i]->src->type == VIR_STORAGE_TYPE_VOLUME) {
            copies->disks[i].src = virStorageSourceCopy(def->disks[i]->src, false);
        }
    }
    for (size_t i = 0; i < def->nnets; i++) {
        copies->nets[i] = *def->nets[i];
        if (def->nets[i]->type == VIR_DOMAIN_NET_TYPE_NETWORK) {
            def->nets[i]->data.network.actual = NULL;
        }
    }
}

/* What was allocated for the copy of a card is the card's. */
static void
adoptFunction(virDomainNetDef *net)
{
    virDomainHostdevDef *hostdev = virDomainNetGetActualHostdev(net);

    if (hostdev) {
        hostdev->parentnet = net;
        hostdev->info = &net->info;
    }
}

/* Locked. */
static void
copiesGive(Copies *copies)
{
    virDomainDef *def = copies->def;

    for (size_t i = 0; i < def->ndisks; i++) {
        if (copies->disks[i].src != def->disks[i]->src) {
            virObjectUnref(def->disks[i]->src);
            def->disks[i]->src = copies->disks[i].src;
        }
    }
    for (size_t i = 0; i < def->nnets; i++) {
        if (def->nets[i]->type == VIR_DOMAIN_NET_TYPE_NETWORK) {
            def->nets[i]->data.network.actual = copies->nets[i].data.network.actual;
            adoptFunction(def->nets[i]);
            memcpy(def->nets[i]->data.network.portid, copies->nets[i].data.network.portid, VIR_UUID_BUFLEN);
        }
    }
    g_free(copies->disks);
    g_free(copies->nets);
}

static int
prepareAll(Copies *copies)
{
    virDomainDef *def = copies->def;

    for (size_t i = 0; i < def->ndisks; i++) {
        if (stubdomPrepareDisk(&copies->disks[i]) < 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < def->nnets; i++) {
        if (stubdomPrepareNet(def, &copies->nets[i]) < 0) {
            while (i-- > 0) {
                stubdomReleaseNet(def, &copies->nets[i]);
            }
            return -1;
        }
    }
    return 0;
}

/*
 * libvirt has a card that is a device of the host among those as well, if it is in the definition from the beginning;
 * one that has become so is put there, and taken out in the end.
 */
static void
addFunctions(virDomainDef *def)
{
    for (size_t i = 0; i < def->nnets; i++) {
        virDomainNetDef *net = def->nets[i];

        if (net->type == VIR_DOMAIN_NET_TYPE_NETWORK && virDomainNetGetActualType(net) == VIR_DOMAIN_NET_TYPE_HOSTDEV) {
            (void)virDomainHostdevInsert(def, virDomainNetGetActualHostdev(net)); /* never fails */
        }
    }
}

static void
dropFunctions(virDomainDef *def)
{
    for (size_t i = def->nhostdevs; i-- > 0;) {
        const virDomainNetDef *net = def->hostdevs[i]->parentnet;

        if (net && net->type == VIR_DOMAIN_NET_TYPE_NETWORK) {
            virDomainHostdevRemove(def, i);
        }
    }
}

int
stubdomDomainPrepare(virDomainObj *vm)
{
    Copies copies;
    int status;

    copiesTake(&copies, vm->def);
    virObjectUnlock(vm);
    status = prepareAll(&copies);
    virObjectLock(vm);
    copiesGive(&copies);
    if (status == 0) {
        addFunctions(vm->def);
    }
    return status;
}

void
stubdomDomainRelease(virDomainObj *vm)
{
    virDomainDef *def = vm->def;
    Copies copies;

    dropFunctions(def);
    copiesTake(&copies, def);
    virObjectUnlock(vm);
    for (size_t i = 0; i < def->nnets; i++) {
        stubdomReleaseNet(def, &copies.nets[i]);
    }
    virObjectLock(vm);
    copiesGive(&copies);
    for (size_t i = 0; i < def->nnets; i++) {
        if (def->nets[i]->ifname && g_str_has_prefix(def->nets[i]->ifname, "vif")) {
            g_clear_pointer(&def->nets[i]->ifname, g_free); /* made of the number of a domain that is no more */
        }
    }
}

/* Unlocked. */
static void
reclaimAll(Copies *copies)
{
    g_autoptr(virConnect) connection = NULL;

    for (size_t i = 0; i < copies->def->nnets; i++) {
        if (copies->nets[i].type != VIR_DOMAIN_NET_TYPE_NETWORK) {
            continue;
        }
        if (!connection && !(connection = virGetConnectNetwork())) {
            VIR_WARN("domain '%s': the network driver does not answer: %s", copies->def->name,
                     virGetLastErrorMessage());
            return;
        }
        virDomainNetNotifyActualDevice(connection, copies->def, &copies->nets[i]);
    }
}

void
stubdomDomainReclaim(virDomainObj *vm)
{
    virDomainDef *def = vm->def;
    Copies copies;

    for (size_t i = 0; i < def->nnets; i++) {
        if (def->nets[i]->type == VIR_DOMAIN_NET_TYPE_NETWORK && !def->nets[i]->ifname &&
            virDomainNetGetActualType(def->nets[i]) != VIR_DOMAIN_NET_TYPE_HOSTDEV) {
            /* as libxl has named it, which libvirt needs to find its bridge */
            def->nets[i]->ifname = g_strdup_printf("vif%d.%d", def->id, stubdomLibxlNicNumber(def, i));
        }
    }
    copiesTake(&copies, def);
    virObjectUnlock(vm);
    reclaimAll(&copies);
    virObjectLock(vm);
    copiesGive(&copies);
}
