/*
 * A disk as libxl wants it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The order of the XML is kept: the i-th disk of the guest becomes the i-th of
 * the stubdomain. Both are served by dom0's kernel, since there is no QEMU that
 * could understand a format: an image is raw, and what libxl would leave to a
 * QEMU's cache or limits cannot be set. libxl takes bus and place of the
 * emulated disk from its name, so name and bus must agree, and two names that
 * are one place in QEMU (hda and xvda) exclude each other.
 */

#include "stubdom_compat.h"

#include "stubdom_libxl_disk.h"

#include "virutil.h"

#include "stubdom_refusal.h"

#define DISKS_MAX 26 /* of a stubdomain: xvda to xvdz, DM_PLAN_DISKS_MAX */
#define IDE_DISKS 4
#define SCSI_DISKS 7 /* of an LSI 53C895A, whose own number is 7 */

/* The beginning of the names on each bus. */
static const char *const prefixes[VIR_DOMAIN_DISK_BUS_LAST] = {
    [VIR_DOMAIN_DISK_BUS_IDE] = "hd",
    [VIR_DOMAIN_DISK_BUS_SCSI] = "sd",
    [VIR_DOMAIN_DISK_BUS_XEN] = "xvd",
};

/* libxl derives the bus from the name, so they must agree. */
static int
checkTarget(const virDomainDiskDef *disk)
{
    const char *prefix = prefixes[disk->bus];
    int index = virDiskNameToIndex(disk->dst);

    if (!prefix) {
        return stubdomRefuse("disk", disk->dst, _("libxl has the buses ide, scsi and xen, and not '%s'"),
                             virDomainDiskBusTypeToString(disk->bus));
    }
    if (!g_str_has_prefix(disk->dst, prefix) || index < 0) {
        return stubdomRefuse("disk", disk->dst,
                             _("libxl takes the bus from the name, and '%s' needs one that begins with '%s'"),
                             virDomainDiskBusTypeToString(disk->bus), prefix);
    }
    if (disk->bus == VIR_DOMAIN_DISK_BUS_IDE && index >= IDE_DISKS) {
        return stubdomRefuse(
            "disk", disk->dst,
            _("there are four places on the bus 'ide', hda to hdd; more disks can be on the bus 'scsi' "
              "or, for guests with Xen's drivers, 'xen'"));
    }
    if (disk->bus == VIR_DOMAIN_DISK_BUS_SCSI && index >= SCSI_DISKS) {
        return stubdomRefuse("disk", disk->dst, _("there are seven places on the bus 'scsi', sda to sdg"));
    }
    return 0;
}

/* A volume's type is that of what it is made of, once that has been looked up. */
static int
actualType(const virStorageSource *source)
{
    int type = virStorageSourceGetActualType(source);

    return source->type == VIR_STORAGE_TYPE_VOLUME && type == VIR_STORAGE_TYPE_NONE ? VIR_STORAGE_TYPE_VOLUME : type;
}

static int
checkSource(const virDomainDiskDef *disk)
{
    const char *driver = virDomainDiskGetDriver(disk);
    const char *path = virDomainDiskGetSource(disk);
    int type = actualType(disk->src);
    int format = disk->src->format;

    if (type != VIR_STORAGE_TYPE_FILE && type != VIR_STORAGE_TYPE_BLOCK && type != VIR_STORAGE_TYPE_VOLUME) {
        return stubdomRefuse("disk", disk->dst, _("its type is '%s'; dom0's kernel can serve file, block and volume"),
                             virStorageTypeToString(type));
    }
    if (format != VIR_STORAGE_FILE_RAW && format != VIR_STORAGE_FILE_NONE) {
        return stubdomRefuse("disk", disk->dst,
                             _("its format is '%s'; without a QEMU in dom0 there is only raw: convert it with qemu-img "
                               "convert -O raw"),
                             virStorageFileFormatTypeToString(format));
    }
    if (driver && STRNEQ(driver, "phy") && STRNEQ(driver, "file")) {
        return stubdomRefuse("disk", disk->dst,
                             _("its driver is '%s'; without a QEMU in dom0 there are only phy and file"), driver);
    }
    if (disk->device == VIR_DOMAIN_DISK_DEVICE_DISK && virStorageSourceIsEmpty(disk->src)) {
        return stubdomRefuse("disk", disk->dst, _("it has no source, which only a CD-ROM may be without"));
    }
    if (path && strchr(path, ',')) {
        return stubdomRefuse("disk", disk->dst,
                             _("its path '%s' has a comma, which libxl cannot tell a device model: rename it"), path);
    }
    return 0;
}

/* libxl's QEMU command line has no read-only disks on IDE, and a disk of the bus 'xen' is emulated there too. */
static int
checkAccess(const virDomainDiskDef *disk)
{
    bool emulatedAsIde = disk->bus != VIR_DOMAIN_DISK_BUS_SCSI && virDiskNameToIndex(disk->dst) < IDE_DISKS;

    if (disk->transient) {
        return stubdomRefuse("disk", disk->dst, _("it is transient, which dom0's kernel cannot make it"));
    }
    if (disk->device != VIR_DOMAIN_DISK_DEVICE_DISK) {
        return 0;
    }
    if (disk->src->readonly && emulatedAsIde) {
        return stubdomRefuse(
            "disk", disk->dst,
            _("it is read-only, which IDE disks cannot be: use the bus 'scsi', or 'xen' from xvde on"));
    }
    if (disk->src->shared && !disk->src->readonly) {
        return stubdomRefuse("disk", disk->dst,
                             _("it is shareable and writable: libxl cannot be told so, and refuses to open it twice"));
    }
    return 0;
}

static int
checkDevice(const virDomainDiskDef *disk)
{
    if (disk->device == VIR_DOMAIN_DISK_DEVICE_FLOPPY) {
        return stubdomRefuse("disk", disk->dst, _("it is a floppy disk, which libxl has not for HVM guests"));
    }
    if (disk->device != VIR_DOMAIN_DISK_DEVICE_CDROM && disk->device != VIR_DOMAIN_DISK_DEVICE_DISK) {
        return stubdomRefuse("disk", disk->dst, _("libxl has no device '%s' for HVM guests"),
                             virDomainDiskDeviceTypeToString(disk->device));
    }
    if (disk->device == VIR_DOMAIN_DISK_DEVICE_CDROM && disk->bus != VIR_DOMAIN_DISK_BUS_IDE) {
        return stubdomRefuse("disk", disk->dst, _("a CD-ROM can be on the bus 'ide' only"));
    }
    return 0;
}

int
stubdomLibxlDiskBuild(libxl_device_disk *to, const virDomainDiskDef *disk)
{
    bool cdrom = disk->device == VIR_DOMAIN_DISK_DEVICE_CDROM;

    if (checkDevice(disk) < 0 || checkTarget(disk) < 0 || checkSource(disk) < 0 || checkAccess(disk) < 0) {
        return -1;
    }
    to->vdev = g_strdup(disk->dst);
    to->pdev_path = g_strdup(virDomainDiskGetSource(disk));
    to->format = virStorageSourceIsEmpty(disk->src) ? LIBXL_DISK_FORMAT_EMPTY : LIBXL_DISK_FORMAT_RAW;
    to->backend = cdrom ? LIBXL_DISK_BACKEND_UNKNOWN : LIBXL_DISK_BACKEND_PHY;
    to->is_cdrom = cdrom;
    to->removable = cdrom;
    to->readwrite = !cdrom && !disk->src->readonly;
    if (disk->discard != VIR_DOMAIN_DISK_DISCARD_DEFAULT) {
        libxl_defbool_set(&to->discard_enable, disk->discard == VIR_DOMAIN_DISK_DISCARD_UNMAP);
    }
    return 0;
}

/* One place on QEMU's IDE bus has one disk: hda and xvda are the same. */
static int
checkPlaces(const virDomainDef *def)
{
    const virDomainDiskDef *places[IDE_DISKS] = {NULL};

    for (size_t i = 0; i < def->ndisks; i++) {
        const virDomainDiskDef *disk = def->disks[i];
        int index = virDiskNameToIndex(disk->dst);

        if (disk->bus == VIR_DOMAIN_DISK_BUS_SCSI || index < 0 || index >= IDE_DISKS) {
            continue;
        }
        if (places[index]) {
            return stubdomRefuse("disk", disk->dst,
                                 _("it would be emulated in the place of '%s': choose another letter"),
                                 places[index]->dst);
        }
        places[index] = disk;
    }
    return 0;
}

int
stubdomLibxlDisksBuild(StubdomLibxlConfig *config, const virDomainDef *def)
{
    if (def->ndisks > DISKS_MAX) {
        return stubdomRefuse("disk", def->disks[DISKS_MAX]->dst, _("a stubdomain can have %d disks"), DISKS_MAX);
    }
    config->disks = g_new0(libxl_device_disk, def->ndisks);
    for (size_t i = 0; i < def->ndisks; i++) {
        libxl_device_disk_init(&config->disks[i]);
        config->num_disks++;
        if (stubdomLibxlDiskBuild(&config->disks[i], def->disks[i]) < 0) {
            return -1;
        }
    }
    return checkPlaces(def);
}
