/*
 * Devices of a running domain
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What can be plugged are devices of the host (stubdom_hostdev.c) and PV
 * devices: they are between guest and dom0, and the stubdomain has no part in
 * them. An emulated device has a half in the stubdomain. QEMU's PC has no disks that can be plugged at all, and a card
 * would need a connection made inside the running stubdomain; so emulated
 * devices stay as they were at the start, and what has a half there is not
 * taken away from the guest alone.
 */

#include "stubdom_compat.h"

#include "stubdom_hotplug.h"

#include <libxl_utils.h>

#include "domain_event.h"

#include "stubdom_hostdev.h"
#include "stubdom_libxl_disk.h"
#include "stubdom_libxl_nic.h"
#include "stubdom_link.h"
#include "stubdom_live.h"
#include "stubdom_method.h"
#include "stubdom_prepare.h"
#include "stubdom_take.h"
#include "stubdom_unfinished.h"
#include "stubdom_unplug.h"

VIR_LOG_INIT("stubdom.hotplug");

static int
refuse(const char *element, const char *name, const char *reason)
{
    virReportError(VIR_ERR_OPERATION_UNSUPPORTED, _("%s '%s' cannot be plugged or unplugged while the guest runs: %s"),
                   element, name, reason);
    return -1;
}

static int
getDomid(const virDomainObj *vm, uint32_t *domid)
{
    if (stubdomDomid(vm, domid)) {
        return 0;
    }
    virReportError(VIR_ERR_OPERATION_INVALID, _("the domain '%s' is being started"), vm->def->name);
    return -1;
}

static void
queueRemoved(const StubdomDriver *driver, virDomainObj *vm, const char *alias)
{
    virObjectEventStateQueue(driver->events, virDomainEventDeviceRemovedNewFromObj(vm, alias));
}

static void
queueRemovalFailed(const StubdomDriver *driver, virDomainObj *vm, const char *alias)
{
    virObjectEventStateQueue(driver->events, virDomainEventDeviceRemovalFailedNewFromObj(vm, alias));
}

/* --- disks -------------------------------------------------------------------------------- */

static int
checkDisk(const virDomainDiskDef *disk)
{
    if (disk->device == VIR_DOMAIN_DISK_DEVICE_CDROM) {
        return refuse("disk", disk->dst, _("QEMU's drives stay where they are; a medium can be changed"));
    }
    if (disk->bus != VIR_DOMAIN_DISK_BUS_XEN) {
        return refuse("disk", disk->dst,
                      _("a PC's emulated disks stay where they are; those of the bus 'xen' can be plugged"));
    }
    return 0;
}

static int
addDisk(StubdomDriver *driver, virDomainObj *vm, libxl_device_disk *disk, uint32_t domid)
{
    StubdomLibxl *libxl = stubdomDomainEnter(driver, vm);
    int rc;

    if (!libxl) {
        return -1;
    }
    if ((rc = libxl_device_disk_add(libxl->ctx, domid, disk, NULL)) != 0) {
        g_autofree char *text = stubdomLibxlErrorText(libxl, rc);

        virReportError(VIR_ERR_OPERATION_FAILED, _("the disk '%s' cannot be plugged: %s"), disk->vdev, text);
    }
    stubdomDomainLeave(vm, libxl);
    return rc == 0 ? 0 : -1;
}

static int
attachDisk(StubdomDriver *driver, virDomainObj *vm, virDomainDeviceDef *dev)
{
    virDomainDiskDef *disk = dev->data.disk;
    libxl_device_disk built;
    uint32_t domid = 0;
    int status;

    if (checkDisk(disk) < 0 || getDomid(vm, &domid) < 0) {
        return -1;
    }
    virObjectUnlock(vm);
    status = stubdomPrepareDisk(disk);
    virObjectLock(vm);
    libxl_device_disk_init(&built);
    if (status == 0 && (status = stubdomLibxlDiskBuild(&built, disk)) == 0) {
        stubdomUnfinishedBegin(driver, vm, VIR_DOMAIN_DEVICE_DISK, disk->dst);
        if ((status = addDisk(driver, vm, &built, domid)) == 0) {
            virDomainDiskInsert(vm->def, g_steal_pointer(&dev->data.disk));
            stubdomLiveAssign(vm->def);
        }
        stubdomUnfinishedEnd(driver, vm);
    }
    libxl_device_disk_dispose(&built);
    if (status < 0) {
        return -1;
    }
    virObjectEventStateQueue(driver->events, virDomainEventDeviceAddedNewFromObj(vm, disk->info.alias));
    return 0;
}

/* Whether the stubdomain has @path as a disk: it has all the guest was started with. */
static bool
stubdomainHas(StubdomLibxl *libxl, uint32_t stubdomain, const char *path)
{
    int count = 0;
    libxl_device_disk *list = stubdomain ? libxl_device_disk_list(libxl->ctx, stubdomain, &count) : NULL;
    bool found = false;

    for (int i = 0; i < count; i++) {
        found |= STREQ_NULLABLE(list[i].pdev_path, path);
    }
    libxl_device_disk_list_free(list, count);
    return found;
}

/* Unlocked. */
static int
takeDisk(StubdomLibxl *libxl, uint32_t domid, uint32_t stubdomain, const char *target, const char *path)
{
    if (stubdomainHas(libxl, stubdomain, path)) {
        return refuse("disk", target,
                      _("it is emulated in the stubdomain as well; disks from xvde on, and those plugged since the "
                        "start, can be unplugged"));
    }
    return stubdomTakeDisk(libxl, domid, target);
}

static int
detachDisk(StubdomDriver *driver, virDomainObj *vm, const char *target)
{
    virDomainDiskDef *disk = virDomainDiskByTarget(vm->def, target);
    StubdomLibxl *libxl;
    uint32_t domid = 0;
    int status = -1;

    if (!disk) {
        virReportError(VIR_ERR_DEVICE_MISSING, _("the domain '%s' has no disk '%s'"), vm->def->name, target);
        return -1;
    }
    if (checkDisk(disk) < 0 || getDomid(vm, &domid) < 0) {
        return -1;
    }
    stubdomUnfinishedBegin(driver, vm, VIR_DOMAIN_DEVICE_DISK, target);
    if ((libxl = stubdomDomainEnter(driver, vm))) {
        status = takeDisk(libxl, domid, stubdomPrivate(vm)->stubdomain, disk->dst, virDomainDiskGetSource(disk));
        stubdomDomainLeave(vm, libxl);
    }
    if (status == 0) {
        stubdomHotplugForget(driver, vm, VIR_DOMAIN_DEVICE_DISK, target);
    } else {
        queueRemovalFailed(driver, vm, disk->info.alias);
    }
    stubdomUnfinishedEnd(driver, vm);
    return status;
}

/* --- network cards --------------------------------------------------------------------------- */

/* A card without a model gets none: libxl plugs the PV half only. */
static int
checkNet(virDomainNetDef *net, const char *mac)
{
    if (net->model == VIR_DOMAIN_NET_MODEL_UNKNOWN && !virDomainNetGetModelString(net)) {
        net->model = VIR_DOMAIN_NET_MODEL_NETFRONT;
    }
    if (net->model != VIR_DOMAIN_NET_MODEL_NETFRONT) {
        return refuse("interface", mac,
                      _("an emulated card has a half in the stubdomain; those of the model 'netfront' can be plugged"));
    }
    return 0;
}

/* libxl numbers the card; @nic says how afterwards. */
static int
addNic(StubdomDriver *driver, virDomainObj *vm, libxl_device_nic *nic, uint32_t domid, const char *mac)
{
    StubdomLibxl *libxl = stubdomDomainEnter(driver, vm);
    int rc;

    if (!libxl) {
        return -1;
    }
    if ((rc = libxl_device_nic_add(libxl->ctx, domid, nic, NULL)) != 0) {
        g_autofree char *text = stubdomLibxlErrorText(libxl, rc);

        virReportError(VIR_ERR_OPERATION_FAILED, _("the interface '%s' cannot be plugged: %s"), mac, text);
    }
    stubdomDomainLeave(vm, libxl);
    return rc == 0 ? 0 : -1;
}

static int
prepareNet(virDomainObj *vm, virDomainNetDef *net)
{
    int status;

    virObjectUnlock(vm);
    status = stubdomPrepareNet(vm->def, net);
    virObjectLock(vm);
    return status;
}

static void
releaseNet(virDomainObj *vm, virDomainNetDef *net)
{
    virObjectUnlock(vm);
    stubdomReleaseNet(vm->def, net);
    virObjectLock(vm);
}

/* "netN", with libxl's number if no card has that name from an earlier start. */
static char *
freeAlias(const virDomainDef *def, int number)
{
    g_autofree char *alias = g_strdup_printf("net%d", number);

    for (size_t i = 0; i < def->nnets; i++) {
        if (STREQ_NULLABLE(def->nets[i]->info.alias, alias)) {
            g_free(alias);
            alias = g_strdup_printf("net%d", ++number);
            i = (size_t)-1; /* all of them again */
        }
    }
    return g_steal_pointer(&alias);
}

static int
plugNet(StubdomDriver *driver, virDomainObj *vm, virDomainNetDef *net, uint32_t domid, const char *mac)
{
    libxl_device_nic nic;
    int status = -1;

    libxl_device_nic_init(&nic);
    if (stubdomLibxlNicBuild(&nic, net, -1) == 0 && addNic(driver, vm, &nic, domid, mac) == 0) {
        if (!net->ifname) {
            net->ifname = g_strdup_printf("vif%u.%d", domid, nic.devid);
        }
        if (!net->info.alias) {
            net->info.alias = freeAlias(vm->def, nic.devid);
        }
        status = 0;
    }
    libxl_device_nic_dispose(&nic);
    return status;
}

static int unplugNet(StubdomDriver *driver, virDomainObj *vm, uint32_t domid, const char *mac);

/* Takes it away again if its link cannot be as it should. */
static int
setLink(StubdomDriver *driver, virDomainObj *vm, const virDomainNetDef *net, uint32_t domid, const char *mac)
{
    virErrorPtr error = NULL;

    if (net->linkstate != VIR_DOMAIN_NET_INTERFACE_LINK_STATE_DOWN ||
        stubdomLinkSet(driver->libxl, domid, 0, net, false) == 0) {
        return 0;
    }
    virErrorPreserveLast(&error);
    ignore_value(unplugNet(driver, vm, domid, mac));
    virErrorRestore(&error);
    return -1;
}

/* A card that is a virtual function of the host's. */
static int
attachFunction(StubdomDriver *driver, virDomainObj *vm, virDomainDeviceDef *dev)
{
    if (stubdomHostdevAttach(driver, vm, dev) == 0) {
        return 0;
    }
    if (dev->data.net) {
        releaseNet(vm, dev->data.net);
    }
    return -1;
}

static int
attachNet(StubdomDriver *driver, virDomainObj *vm, virDomainDeviceDef *dev)
{
    virDomainNetDef *net = dev->data.net;
    char mac[VIR_MAC_STRING_BUFLEN];
    uint32_t domid = 0;

    virMacAddrFormat(&net->mac, mac);
    if (getDomid(vm, &domid) < 0 || prepareNet(vm, net) < 0) {
        return -1;
    }
    if (virDomainNetGetActualType(net) == VIR_DOMAIN_NET_TYPE_HOSTDEV) {
        return attachFunction(driver, vm, dev);
    }
    stubdomUnfinishedBegin(driver, vm, VIR_DOMAIN_DEVICE_NET, mac);
    if (checkNet(net, mac) < 0 || plugNet(driver, vm, net, domid, mac) < 0 ||
        setLink(driver, vm, net, domid, mac) < 0) {
        stubdomUnfinishedEnd(driver, vm);
        releaseNet(vm, net);
        return -1;
    }
    (void)virDomainNetInsert(vm->def, g_steal_pointer(&dev->data.net)); /* never fails */
    stubdomUnfinishedEnd(driver, vm);
    virObjectEventStateQueue(driver->events, virDomainEventDeviceAddedNewFromObj(vm, net->info.alias));
    return 0;
}

static int
unplugNet(StubdomDriver *driver, virDomainObj *vm, uint32_t domid, const char *mac)
{
    StubdomLibxl *libxl = stubdomDomainEnter(driver, vm);
    int status;

    if (!libxl) {
        return -1;
    }
    status = stubdomTakeNet(libxl, domid, mac);
    stubdomDomainLeave(vm, libxl);
    return status;
}

static int
detachNet(StubdomDriver *driver, virDomainObj *vm, virDomainNetDef *which)
{
    int index = virDomainNetFindIdx(vm->def, which);
    virDomainNetDef *net = index < 0 ? NULL : vm->def->nets[index];
    char mac[VIR_MAC_STRING_BUFLEN];
    uint32_t domid = 0;
    int status;

    if (!net) {
        return -1;
    }
    if (virDomainNetGetActualType(net) == VIR_DOMAIN_NET_TYPE_HOSTDEV) {
        return stubdomUnplug(driver, vm, virDomainNetGetActualHostdev(net));
    }
    virMacAddrFormat(&net->mac, mac);
    if (net->model != VIR_DOMAIN_NET_MODEL_NETFRONT) {
        return refuse("interface", mac,
                      _("it is emulated and has a half in the stubdomain; those of the model 'netfront' can be "
                        "unplugged"));
    }
    if (getDomid(vm, &domid) < 0) {
        return -1;
    }
    stubdomUnfinishedBegin(driver, vm, VIR_DOMAIN_DEVICE_NET, mac);
    if ((status = unplugNet(driver, vm, domid, mac)) == 0) {
        stubdomHotplugForget(driver, vm, VIR_DOMAIN_DEVICE_NET, mac);
    } else {
        queueRemovalFailed(driver, vm, net->info.alias);
    }
    stubdomUnfinishedEnd(driver, vm);
    return status;
}

static void
forgetNet(const StubdomDriver *driver, virDomainObj *vm, const char *mac)
{
    virDomainNetDef *net = NULL;
    virMacAddr address;

    for (size_t i = 0; virMacAddrParse(mac, &address) == 0 && i < vm->def->nnets && !net; i++) {
        if (virMacAddrCmp(&vm->def->nets[i]->mac, &address) == 0) {
            net = virDomainNetRemove(vm->def, i);
        }
    }
    if (net) {
        queueRemoved(driver, vm, net->info.alias);
        releaseNet(vm, net);
        virDomainNetDefFree(net);
    }
}

static int
detachHostdev(StubdomDriver *driver, virDomainObj *vm, virDomainHostdevDef *which)
{
    virDomainHostdevDef *found = NULL;

    if (virDomainHostdevFind(vm->def, which, &found) < 0) {
        virReportError(VIR_ERR_DEVICE_MISSING, _("the domain '%s' has no such device of the host"), vm->def->name);
        return -1;
    }
    return stubdomUnplug(driver, vm, found);
}

/* --- all ---------------------------------------------------------------------------------- */

void
stubdomHotplugForget(const StubdomDriver *driver, virDomainObj *vm, virDomainDeviceType kind, const char *name)
{
    virDomainDiskDef *disk;

    if (kind == VIR_DOMAIN_DEVICE_NET) {
        forgetNet(driver, vm, name);
    } else if ((disk = virDomainDiskRemoveByName(vm->def, name))) {
        queueRemoved(driver, vm, disk->info.alias);
        virDomainDiskDefFree(disk);
    }
}

int
stubdomHotplugAttach(StubdomDriver *driver, virDomainObj *vm, virDomainDeviceDef *dev)
{
    switch ((int)dev->type) {
    case VIR_DOMAIN_DEVICE_DISK:
        return attachDisk(driver, vm, dev);
    case VIR_DOMAIN_DEVICE_NET:
        return attachNet(driver, vm, dev);
    case VIR_DOMAIN_DEVICE_HOSTDEV:
        return stubdomHostdevAttach(driver, vm, dev);
    default:
        return refuse("device", virDomainDeviceTypeToString(dev->type),
                      _("disks, interfaces and devices of the host can be plugged"));
    }
}

int
stubdomHotplugDetach(StubdomDriver *driver, virDomainObj *vm, virDomainDeviceDef *dev)
{
    switch ((int)dev->type) {
    case VIR_DOMAIN_DEVICE_DISK:
        return detachDisk(driver, vm, dev->data.disk->dst);
    case VIR_DOMAIN_DEVICE_NET:
        return detachNet(driver, vm, dev->data.net);
    case VIR_DOMAIN_DEVICE_HOSTDEV:
        return detachHostdev(driver, vm, dev->data.hostdev);
    default:
        return refuse("device", virDomainDeviceTypeToString(dev->type),
                      _("disks, interfaces and devices of the host can be unplugged"));
    }
}
