/*
 * A domain's firmware and boot order as libxl wants them
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libxl knows an order of kinds of devices: disks, CD-ROMs, network. Within a
 * kind the BIOS goes by the places of the devices. An order of devices is
 * translated if that comes to the same, and otherwise refused, with what would
 * have to change.
 */

#include "stubdom_compat.h"

#include "stubdom_libxl_os.h"

#include "virutil.h"

#include "stubdom_refusal.h"

#define IDE_DISKS 4
#define KINDS 3 /* of devices to boot from */

/* A device with an order, and where the BIOS finds it among those of its kind. */
typedef struct {
    unsigned int order;
    char letter;
    int place;
    const char *name;
} BootDevice;

static int
buildLetters(libxl_domain_build_info *info, const virDomainDef *def)
{
    static const char letters[VIR_DOMAIN_BOOT_LAST] = {
        [VIR_DOMAIN_BOOT_CDROM] = 'd',
        [VIR_DOMAIN_BOOT_DISK] = 'c',
        [VIR_DOMAIN_BOOT_NET] = 'n',
    };
    char order[VIR_DOMAIN_BOOT_LAST + 1] = "";

    for (size_t i = 0; i < def->os.nBootDevs; i++) {
        virDomainBootOrder device = def->os.bootDevs[i];

        if (!letters[device]) {
            return stubdomRefuse("boot dev", virDomainBootTypeToString(device),
                                 _("libxl has no floppy disks for HVM guests"));
        }
        order[i] = letters[device];
    }
    info->u.hvm.boot = *order ? g_strdup(order) : NULL;
    return 0;
}

/* IDE comes first, then SCSI; -1: the BIOS does not see it. */
static int
diskPlace(const virDomainDiskDef *disk)
{
    int index = virDiskNameToIndex(disk->dst);

    if (disk->bus == VIR_DOMAIN_DISK_BUS_SCSI) {
        return IDE_DISKS + index;
    }
    return index < IDE_DISKS ? index : -1;
}

static char
diskLetter(const virDomainDiskDef *disk)
{
    return disk->device == VIR_DOMAIN_DISK_DEVICE_CDROM ? 'd' : 'c';
}

/* All devices a BIOS could boot from; those without an order have the order 0. */
static GArray *
listDevices(const virDomainDef *def)
{
    GArray *devices = g_array_new(FALSE, FALSE, sizeof(BootDevice));

    for (size_t i = 0; i < def->ndisks; i++) {
        const virDomainDiskDef *disk = def->disks[i];
        BootDevice device = {
            .order = disk->info.bootIndex, .letter = diskLetter(disk), .place = diskPlace(disk), .name = disk->dst};

        g_array_append_val(devices, device);
    }
    for (size_t i = 0; i < def->nnets; i++) {
        const virDomainNetDef *net = def->nets[i];
        BootDevice device = {.order = net->info.bootIndex, .letter = 'n', .place = (int)i, .name = "interface"};

        if (net->model == VIR_DOMAIN_NET_MODEL_NETFRONT) {
            device.place = -1;
        }
        g_array_append_val(devices, device);
    }
    return devices;
}

static gint
compareOrder(gconstpointer a, gconstpointer b)
{
    const BootDevice *first = a;
    const BootDevice *second = b;

    return first->order < second->order ? -1 : first->order > second->order;
}

/* Before @device the BIOS must not try one of its kind that is to come later or not at all. */
static int
checkPlace(const GArray *devices, const BootDevice *device)
{
    g_autofree char *order = g_strdup_printf("%u", device->order);

    if (device->place < 0) {
        return stubdomRefuse("boot order", order, _("the BIOS cannot boot from '%s', which only Xen's drivers see"),
                             device->name);
    }
    for (guint i = 0; i < devices->len; i++) {
        const BootDevice *other = &g_array_index(devices, BootDevice, i);

        if (other->letter == device->letter && other->place >= 0 && other->place < device->place &&
            (other->order == 0 || other->order > device->order)) {
            return stubdomRefuse("boot order", order,
                                 _("the BIOS takes devices of one kind by their places: '%s' would come before '%s'"),
                                 other->name, device->name);
        }
    }
    return 0;
}

static int
buildOrder(libxl_domain_build_info *info, const virDomainDef *def)
{
    g_autoptr(GArray) devices = listDevices(def);
    char letters[KINDS + 1] = "";

    g_array_sort(devices, compareOrder);
    for (guint i = 0; i < devices->len; i++) {
        const BootDevice *device = &g_array_index(devices, BootDevice, i);
        size_t length = strlen(letters);

        if (device->order == 0 || (length && letters[length - 1] == device->letter)) {
            if (device->order && checkPlace(devices, device) < 0) {
                return -1;
            }
            continue;
        }
        if (strchr(letters, device->letter)) {
            g_autofree char *order = g_strdup_printf("%u", device->order);

            return stubdomRefuse("boot order", order,
                                 _("libxl knows an order of disks, CD-ROMs and network: '%s' must come right after "
                                   "another of its kind"),
                                 device->name);
        }
        if (checkPlace(devices, device) < 0) {
            return -1;
        }
        letters[length] = device->letter;
    }
    info->u.hvm.boot = *letters ? g_strdup(letters) : NULL;
    return 0;
}

static int
buildFirmware(libxl_domain_build_info *info, const virDomainDef *def)
{
    const virDomainLoaderDef *loader = def->os.loader;
    const char *table = NULL;

    if (STRNEQ_NULLABLE(def->os.machine, "xenfv")) {
        return stubdomRefuse("machine", def->os.machine, _("libxl's QEMU is a xenfv"));
    }
    if (def->emulator && STRNEQ(def->emulator, STUBDOM_DEVICE_MODEL)) {
        return stubdomRefuse("emulator", def->emulator, _("the device model is the installed xen-stubdom-dm"));
    }
    if (loader && loader->path) {
        if (!g_str_has_suffix(loader->path, "/hvmloader") || loader->type == VIR_DOMAIN_LOADER_TYPE_PFLASH) {
            return stubdomRefuse("loader", loader->path, _("only hvmloader is; UEFI is not implemented yet"));
        }
        info->u.hvm.firmware = g_strdup(loader->path);
    }
    if (def->os.firmware != VIR_DOMAIN_OS_DEF_FIRMWARE_NONE) {
        return stubdomRefuse("firmware", virDomainOsDefFirmwareTypeToString(def->os.firmware),
                             _("only hvmloader's BIOS is; UEFI is not implemented yet"));
    }
    if (!stubdomCompatAcpiTable(def, &table)) {
        return stubdomRefuse("acpi table", table, _("only one table, of type 'slic', is"));
    }
    info->u.hvm.acpi_firmware = g_strdup(table);
    return 0;
}

/* The guest reads it as a GUID of Microsoft's, whose first three parts are little-endian. */
static void
buildGenid(libxl_domain_build_info *info, const virDomainDef *def)
{
    static const int order[VIR_UUID_BUFLEN] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

    for (size_t i = 0; def->genidRequested && i < VIR_UUID_BUFLEN; i++) {
        info->u.hvm.ms_vm_genid.bytes[i] = def->genid[order[i]];
    }
}

/* libvirt lets a domain have one kind of order or the other. */
int
stubdomLibxlOsBuild(StubdomLibxlConfig *config, const virDomainDef *def)
{
    if (buildFirmware(&config->b_info, def) < 0) {
        return -1;
    }
    buildGenid(&config->b_info, def);
    return def->os.nBootDevs ? buildLetters(&config->b_info, def) : buildOrder(&config->b_info, def);
}
