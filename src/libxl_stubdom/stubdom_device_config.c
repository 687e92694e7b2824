/*
 * Devices of a persistent definition
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Only the definition is changed. Nothing is decided here about what a guest
 * could have: a changed definition is checked as one that is made.
 */

#include "stubdom_compat.h"

#include "stubdom_device_config.h"

#include "domain_postparse.h"
#include "domain_validate.h"

static int
unsupported(const virDomainDeviceDef *dev)
{
    virReportError(VIR_ERR_OPERATION_UNSUPPORTED,
                   _("the device '%s' cannot be plugged: disks, interfaces and devices of the host can, others are "
                     "changed by redefining the domain"),
                   virDomainDeviceTypeToString(dev->type));
    return -1;
}

static int
noSuchDisk(const virDomainDef *def, const char *target)
{
    virReportError(VIR_ERR_DEVICE_MISSING, _("the domain '%s' has no disk '%s'"), def->name, target);
    return -1;
}

/* --- attach ---------------------------------------------------------------------------- */

static int
attachDisk(virDomainDef *def, virDomainDeviceDef *dev)
{
    if (virDomainDiskByTarget(def, dev->data.disk->dst)) {
        virReportError(VIR_ERR_OPERATION_FAILED, _("the domain '%s' has a disk '%s' already"), def->name,
                       dev->data.disk->dst);
        return -1;
    }
    virDomainDiskInsert(def, g_steal_pointer(&dev->data.disk));
    return 0;
}

static int
attachNet(virDomainDef *def, virDomainDeviceDef *dev)
{
    char mac[VIR_MAC_STRING_BUFLEN];

    if (virDomainHasNet(def, dev->data.net)) {
        virReportError(VIR_ERR_OPERATION_FAILED, _("the domain '%s' has an interface '%s' already"), def->name,
                       virMacAddrFormat(&dev->data.net->mac, mac));
        return -1;
    }
    (void)virDomainNetInsert(def, g_steal_pointer(&dev->data.net)); /* never fails */
    return 0;
}

static int
attachHostdev(virDomainDef *def, virDomainDeviceDef *dev)
{
    virDomainHostdevDef *found = NULL;

    if (virDomainHostdevFind(def, dev->data.hostdev, &found) >= 0) {
        virReportError(VIR_ERR_OPERATION_FAILED, _("the domain '%s' has that device of the host already"), def->name);
        return -1;
    }
    (void)virDomainHostdevInsert(def, g_steal_pointer(&dev->data.hostdev)); /* never fails */
    return 0;
}

int
stubdomDeviceConfigAttach(virDomainDef *def, virDomainDeviceDef *dev)
{
    switch ((int)dev->type) {
    case VIR_DOMAIN_DEVICE_DISK:
        return attachDisk(def, dev);
    case VIR_DOMAIN_DEVICE_NET:
        return attachNet(def, dev);
    case VIR_DOMAIN_DEVICE_HOSTDEV:
        return attachHostdev(def, dev);
    default:
        return unsupported(dev);
    }
}

/* --- detach ------------------------------------------------------------------------------ */

static int
detachHostdev(virDomainDef *def, virDomainHostdevDef *which)
{
    virDomainHostdevDef *found = NULL;
    int index = virDomainHostdevFind(def, which, &found);

    if (index < 0) {
        virReportError(VIR_ERR_DEVICE_MISSING, _("the domain '%s' has no such device of the host"), def->name);
        return -1;
    }
    virDomainHostdevRemove(def, (size_t)index);
    virDomainHostdevDefFree(found);
    return 0;
}

int
stubdomDeviceConfigDetach(virDomainDef *def, virDomainDeviceDef *dev)
{
    virDomainDiskDef *disk;
    int index;

    switch ((int)dev->type) {
    case VIR_DOMAIN_DEVICE_DISK:
        if (!(disk = virDomainDiskRemoveByName(def, dev->data.disk->dst))) {
            return noSuchDisk(def, dev->data.disk->dst);
        }
        virDomainDiskDefFree(disk);
        return 0;
    case VIR_DOMAIN_DEVICE_NET:
        if ((index = virDomainNetFindIdx(def, dev->data.net)) < 0) {
            return -1;
        }
        virDomainNetDefFree(virDomainNetRemove(def, (size_t)index));
        return 0;
    case VIR_DOMAIN_DEVICE_HOSTDEV:
        return detachHostdev(def, dev->data.hostdev);
    default:
        return unsupported(dev);
    }
}

/* --- update ------------------------------------------------------------------------------ */

static int
updateDisk(virDomainDef *def, virDomainDeviceDef *dev)
{
    virDomainDiskDef *disk = dev->data.disk;
    int index = virDomainDiskIndexByName(def, disk->dst, false);

    if (index < 0) {
        return noSuchDisk(def, disk->dst);
    }
    if (def->disks[index]->device != disk->device || def->disks[index]->bus != disk->bus) {
        virReportError(VIR_ERR_OPERATION_UNSUPPORTED, _("the device and the bus of disk '%s' cannot be changed"),
                       disk->dst);
        return -1;
    }
    virDomainDiskDefFree(def->disks[index]);
    def->disks[index] = g_steal_pointer(&dev->data.disk);
    return 0;
}

static int
updateNet(virDomainDef *def, virDomainDeviceDef *dev)
{
    int index = virDomainNetFindIdx(def, dev->data.net);

    if (index < 0) {
        return -1;
    }
    if (dev->data.net->mac_generated) {
        virMacAddrSet(&dev->data.net->mac, &def->nets[index]->mac);
    }
    virDomainNetDefFree(def->nets[index]);
    def->nets[index] = g_steal_pointer(&dev->data.net);
    return 0;
}

/* There is one display, whatever it is to become. */
static int
updateGraphics(virDomainDef *def, virDomainDeviceDef *dev)
{
    if (!def->ngraphics) {
        virReportError(VIR_ERR_DEVICE_MISSING, _("the domain '%s' has no graphics"), def->name);
        return -1;
    }
    virDomainGraphicsDefFree(def->graphics[0]);
    def->graphics[0] = g_steal_pointer(&dev->data.graphics);
    return 0;
}

int
stubdomDeviceConfigUpdate(virDomainDef *def, virDomainDeviceDef *dev)
{
    switch ((int)dev->type) {
    case VIR_DOMAIN_DEVICE_DISK:
        return updateDisk(def, dev);
    case VIR_DOMAIN_DEVICE_NET:
        return updateNet(def, dev);
    case VIR_DOMAIN_DEVICE_GRAPHICS:
        return updateGraphics(def, dev);
    case VIR_DOMAIN_DEVICE_HOSTDEV:
        virReportError(VIR_ERR_OPERATION_UNSUPPORTED, "%s",
                       _("a device of the host has nothing that could be changed: it is detached, and attached anew"));
        return -1;
    default:
        return unsupported(dev);
    }
}

/* --- check ------------------------------------------------------------------------------ */

int
stubdomDeviceConfigCheck(const StubdomDriver *driver, virDomainDef *def)
{
    if (virDomainDefPostParse(def, VIR_DOMAIN_DEF_PARSE_INACTIVE, driver->xmlopt, NULL) < 0) {
        return -1;
    }
    return virDomainDefValidate(def, VIR_DOMAIN_DEF_PARSE_INACTIVE, driver->xmlopt, NULL);
}
