/*
 * Devices of a running domain that change
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A medium is changed by xen-stubdom-dm, for guest and stubdomain together
 * (src/device_model/dm_cdrom.h).
 */

#include "stubdom_compat.h"

#include "stubdom_update.h"

#include "domain_event.h"

#include "stubdom_libxl_disk.h"
#include "stubdom_link.h"
#include "stubdom_method.h"
#include "stubdom_prepare.h"
#include "stubdom_update_graphics.h"

/*
 * Seconds for a change: libxl attaches one disk (40 for its script, 10 for its backend), the stubdomain answers
 * (command-timeout), libxl takes another (20).
 */
#define CHANGE_TIMEOUT 120

static int
unsupported(const char *element, const char *name, const char *reason)
{
    virReportError(VIR_ERR_OPERATION_UNSUPPORTED, _("%s '%s' cannot be changed while the guest runs: %s"), element,
                   name, reason);
    return -1;
}

/* --- media ----------------------------------------------------------------------------- */

/* What else the XML may say is checked as for a start, and its place must be the same. */
static int
checkMedium(const virDomainDiskDef *drive, const virDomainDiskDef *disk)
{
    libxl_device_disk built;
    int status;

    if (drive->device != VIR_DOMAIN_DISK_DEVICE_CDROM || disk->device != VIR_DOMAIN_DISK_DEVICE_CDROM) {
        return unsupported("disk", disk->dst, _("only CD-ROM drives have media that can be changed"));
    }
    if (drive->bus != disk->bus) {
        return unsupported("disk", disk->dst, _("its bus stays what it is"));
    }
    libxl_device_disk_init(&built);
    status = stubdomLibxlDiskBuild(&built, disk);
    libxl_device_disk_dispose(&built);
    return status;
}

static virJSONValue *
changeArguments(const char *target, const char *path, bool force)
{
    g_autoptr(virJSONValue) arguments = virJSONValueNewObject();

    if (virJSONValueObjectAppendString(arguments, "id", target) < 0 ||
        virJSONValueObjectAppendBoolean(arguments, "force", force) < 0 ||
        (path && virJSONValueObjectAppendString(arguments, "filename", path) < 0)) {
        return NULL;
    }
    return g_steal_pointer(&arguments);
}

/* The domain is unlocked meanwhile. */
static int
askDeviceModel(virDomainObj *vm, const char *target, virDomainDiskDef *disk, bool force)
{
    g_autoptr(StubdomMonitor) monitor = stubdomDomainMonitor(vm);
    g_autoptr(virJSONValue) arguments = NULL;
    const char *path;
    int status;

    if (!monitor) {
        return -1;
    }
    virObjectUnlock(vm);
    status = stubdomPrepareDisk(disk);
    path = virStorageSourceIsEmpty(disk->src) ? NULL : virDomainDiskGetSource(disk);
    if (status == 0 && (arguments = changeArguments(target, path, force))) {
        status =
            stubdomMonitorCommand(monitor, path ? "blockdev-change-medium" : "eject", &arguments, CHANGE_TIMEOUT, NULL);
    }
    virObjectLock(vm);
    return status;
}

static void
queueTrayChange(const StubdomDriver *driver, virDomainObj *vm, const virDomainDiskDef *drive, int reason)
{
    virObjectEventStateQueue(driver->events, virDomainEventTrayChangeNewFromObj(vm, drive->info.alias, reason));
}

static int
updateDisk(StubdomDriver *driver, virDomainObj *vm, virDomainDiskDef *disk, bool force)
{
    virDomainDiskDef *drive = virDomainDiskByTarget(vm->def, disk->dst);

    if (!drive) {
        virReportError(VIR_ERR_DEVICE_MISSING, _("the domain '%s' has no disk '%s'"), vm->def->name, disk->dst);
        return -1;
    }
    if (checkMedium(drive, disk) < 0 || askDeviceModel(vm, drive->dst, disk, force) < 0) {
        return -1;
    }
    virObjectUnref(drive->src);
    drive->src = g_steal_pointer(&disk->src);
    disk->src = virStorageSourceNew();
    queueTrayChange(driver, vm, drive, VIR_DOMAIN_EVENT_TRAY_CHANGE_OPEN);
    if (!virStorageSourceIsEmpty(drive->src)) {
        queueTrayChange(driver, vm, drive, VIR_DOMAIN_EVENT_TRAY_CHANGE_CLOSE);
    }
    return 0;
}

/* --- links ------------------------------------------------------------------------------- */

static char *
netText(const StubdomDriver *driver, virDomainNetDef *net)
{
    g_auto(virBuffer) buffer = VIR_BUFFER_INITIALIZER;

    return virDomainNetDefFormat(&buffer, net, driver->xmlopt, VIR_DOMAIN_DEF_FORMAT_INACTIVE) == 0
               ? virBufferContentAndReset(&buffer)
               : NULL;
}

/* What was not said, and what libvirt or the driver filled in, is as it was. */
static void
completeNet(const virDomainNetDef *net, virDomainNetDef *changed)
{
    virMacAddrSet(&changed->mac, &net->mac);
    if (!changed->info.alias) {
        changed->info.alias = g_strdup(net->info.alias);
    }
    if (!changed->ifname) {
        changed->ifname = g_strdup(net->ifname);
    }
    if (!virDomainNetGetModelString(changed)) {
        changed->model = net->model;
        changed->modelstr = g_strdup(net->modelstr);
    }
}

/* Whether the link alone differs. */
static int
checkNet(const StubdomDriver *driver, virDomainNetDef *net, virDomainNetDef *changed, const char *mac)
{
    int link = changed->linkstate;
    g_autofree char *before = netText(driver, net);
    g_autofree char *after = NULL;

    completeNet(net, changed);
    changed->linkstate = net->linkstate;
    after = netText(driver, changed);
    changed->linkstate = link;
    if (!before || !after) {
        return -1;
    }
    return STREQ(before, after) ? 0 : unsupported("interface", mac, _("only its link can be"));
}

static int
updateNet(StubdomDriver *driver, virDomainObj *vm, virDomainNetDef *changed)
{
    int index = virDomainNetFindIdx(vm->def, changed);
    virDomainNetDef *net = index < 0 ? NULL : vm->def->nets[index];
    char mac[VIR_MAC_STRING_BUFLEN];
    uint32_t domid = 0;

    if (!net || checkNet(driver, net, changed, virMacAddrFormat(&net->mac, mac)) < 0) {
        return -1;
    }
    if (!stubdomDomid(vm, &domid)) {
        virReportError(VIR_ERR_OPERATION_INVALID, _("the domain '%s' is being started"), vm->def->name);
        return -1;
    }
    if (stubdomLinkSet(driver->libxl, domid, stubdomPrivate(vm)->stubdomain, net,
                       changed->linkstate != VIR_DOMAIN_NET_INTERFACE_LINK_STATE_DOWN) < 0) {
        return -1;
    }
    net->linkstate = changed->linkstate;
    return 0;
}

int
stubdomUpdateDevice(StubdomDriver *driver, virDomainObj *vm, virDomainDeviceDef *dev, bool force)
{
    switch ((int)dev->type) {
    case VIR_DOMAIN_DEVICE_DISK:
        return updateDisk(driver, vm, dev->data.disk, force);
    case VIR_DOMAIN_DEVICE_NET:
        return updateNet(driver, vm, dev->data.net);
    case VIR_DOMAIN_DEVICE_GRAPHICS:
        return stubdomUpdateGraphics(driver, vm, dev->data.graphics);
    case VIR_DOMAIN_DEVICE_HOSTDEV:
        return unsupported("device", virDomainDeviceTypeToString(dev->type), _("it is detached, and attached anew"));
    default:
        return unsupported("device", virDomainDeviceTypeToString(dev->type),
                           _("the media of CD-ROM drives, the links of interfaces and the password of a display can "
                             "be"));
    }
}
