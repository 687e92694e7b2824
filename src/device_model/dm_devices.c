/*
 * A stubdomain's domain and devices, as libxl takes them
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libxl frees what its structures hold with free(), so strings go in by
 * strdup() here.
 */

#include "config.h"

#include "dm_devices.h"

#include <stdlib.h>
#include <string.h>

#include <glib/gi18n-lib.h>
#include <libxl_utils.h>

#include "dm_cpus.h"
#include "dm_error.h"

/* The emulated drive of @disk on the command line: its position, or G_MAXUINT; its format if it says one. */
static guint
findDrive(const DmGuest *guest, const DmDisk *disk, char **format)
{
    guint position = 0;

    *format = NULL;
    for (char **argument = guest->arguments; argument[0] && argument[1]; argument++) {
        g_autofree char *file = NULL;

        if (!g_str_equal(argument[0], "-drive")) {
            continue;
        }
        file = dmOptionListGet(argument[1], "file");
        if (disk->path && g_strcmp0(file, disk->path) == 0) {
            *format = dmOptionListGet(argument[1], "format");
            return position;
        }
        position++;
    }
    return G_MAXUINT;
}

static DmDisk *
readDisk(const DmGuest *guest, const libxl_device_disk *from, GError **error)
{
    g_autoptr(DmDisk) disk = from->vdev ? dmDiskNew(from->vdev, error) : NULL;

    if (!disk) {
        return NULL;
    }
    disk->path = from->pdev_path && *from->pdev_path ? g_strdup(from->pdev_path) : NULL;
    disk->script = from->script && *from->script ? g_strdup(from->script) : NULL;
    disk->backend = from->backend_domid;
    disk->readonly = !from->readwrite;
    disk->cdrom = from->is_cdrom != 0;
    findDrive(guest, disk, &disk->format);
    /* A backend that is not the kernel's and not on the command line has some format QEMU would have to know. */
    if (!disk->format && from->backend == LIBXL_DISK_BACKEND_QDISK && !disk->cdrom && disk->path) {
        disk->format = g_strdup("unknown");
    }
    return g_steal_pointer(&disk);
}

/* Disks with an emulated drive first, as on the command line: that is the configuration's order, whatever xenstored
 * made of it. */
static gint
compareDisks(gconstpointer a, gconstpointer b, gpointer opaque)
{
    g_autofree char *formatA = NULL;
    g_autofree char *formatB = NULL;
    guint driveA = findDrive(opaque, *(const DmDisk *const *)a, &formatA);
    guint driveB = findDrive(opaque, *(const DmDisk *const *)b, &formatB);

    return driveA < driveB ? -1 : driveA > driveB;
}

gboolean
dmDevicesReadDisks(DmLibxl *libxl, DmGuest *guest, GError **error)
{
    int count = 0;
    libxl_device_disk *list = libxl_device_disk_list(dmLibxlContext(libxl), guest->domid, &count);
    gboolean ok = TRUE;

    for (int i = 0; i < count && ok; i++) {
        DmDisk *disk = readDisk(guest, &list[i], error);

        ok = disk != NULL;
        if (disk) {
            g_ptr_array_add(guest->disks, disk);
        }
    }
    libxl_device_disk_list_free(list, count);
    g_ptr_array_sort_with_data(guest->disks, compareDisks, guest);
    return ok;
}

static gboolean
takeDisks(DmGuest *guest, const libxl_domain_config *config, GError **error)
{
    for (int i = 0; i < config->num_disks; i++) {
        const libxl_device_disk *from = &config->disks[i];
        DmDisk *disk = readDisk(guest, from, error);

        if (!disk) {
            return FALSE;
        }
        g_ptr_array_add(guest->disks, disk);
        if (from->format == LIBXL_DISK_FORMAT_EMPTY) {
            g_clear_pointer(&disk->path, g_free);
        } else if (from->format != LIBXL_DISK_FORMAT_UNKNOWN) {
            g_free(disk->format);
            disk->format = g_strdup(libxl_disk_format_to_string(from->format));
        }
    }
    return TRUE;
}

static void
takeNics(DmGuest *guest, const libxl_domain_config *config)
{
    for (guint i = 0; i < guest->nics->len; i++) {
        DmNic *nic = g_ptr_array_index(guest->nics, i);

        for (int j = 0; j < config->num_nics; j++) {
            const libxl_device_nic *from = &config->nics[j];

            /* devid is -1 when libxl was left to number them, in order */
            if ((guint)(from->devid < 0 ? j : from->devid) == nic->index) {
                g_free(nic->bridge);
                nic->bridge = g_strdup(from->bridge);
                nic->script = g_strdup(from->script);
                nic->rateBytes = from->rate_bytes_per_interval;
                nic->rateInterval = from->rate_interval_usecs;
            }
        }
    }
}

gboolean
dmDevicesTakeConfig(DmGuest *guest, const libxl_domain_config *config, GError **error)
{
    if (config->b_info.type == LIBXL_DOMAIN_TYPE_HVM && !libxl_defbool_is_default(config->b_info.u.hvm.vnc.enable) &&
        libxl_defbool_val(config->b_info.u.hvm.vnc.enable)) {
        guest->vnc = TRUE;
    }
    takeNics(guest, config);
    return takeDisks(guest, config, error);
}

gboolean
dmDevicesReadConfig(DmLibxl *libxl, const char *file, DmGuest *guest, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autofree char *json = NULL;
    libxl_domain_config config;
    gboolean ok;

    if (!g_file_get_contents(file, &json, NULL, &cause)) {
        g_set_error(error, DM_ERROR, DM_ERROR_ARGUMENT, _("cannot read the guest's configuration (config=): %s"),
                    cause->message);
        return FALSE;
    }
    libxl_domain_config_init(&config);
    ok = libxl_domain_config_from_json(dmLibxlContext(libxl), &config, json) == 0;
    if (!ok) {
        g_set_error(error, DM_ERROR, DM_ERROR_ARGUMENT,
                    _("'%s' (config=) is not the JSON of a libxl_domain_config of this version of libxl"), file);
    } else {
        ok = dmDevicesTakeConfig(guest, &config, error);
    }
    libxl_domain_config_dispose(&config);
    return ok;
}

static gboolean
pin(DmLibxl *libxl, const DmPlan *plan, libxl_domain_build_info *info, GError **error)
{
    guint8 map[DM_CPUS_MAX / 8] = {0};

    if (!dmCpusParse(plan->cpus, map, error)) {
        return FALSE;
    }
    info->vcpu_hard_affinity = calloc(1, sizeof(libxl_bitmap));
    if (!info->vcpu_hard_affinity || libxl_bitmap_alloc(dmLibxlContext(libxl), info->vcpu_hard_affinity, DM_CPUS_MAX)) {
        g_set_error(error, DM_ERROR, DM_ERROR_XEN, _("libxl cannot make a CPU map for stubdomain '%s'"), plan->name);
        return FALSE;
    }
    info->num_vcpu_hard_affinity = 1;
    memcpy(info->vcpu_hard_affinity->map, map, sizeof(map));
    return TRUE;
}

/* The stubdomain gives up on a guest that keeps a PCI device before we give up on the stubdomain. From malloc(). */
static char *
commandLine(const DmPlan *plan, guint commandTimeout)
{
    g_autofree char *text = plan->kind == DM_IMAGE_LINUX
                                ? g_strdup_printf("%s stubdom.eject-timeout=%u", plan->commandLine,
                                                  commandTimeout > 2 ? commandTimeout - 2 : 1)
                                : g_strdup(plan->commandLine);

    return strdup(text);
}

gboolean
dmDevicesFillDomain(DmLibxl *libxl, const DmPlan *plan, guint commandTimeout, libxl_domain_config *config,
                    GError **error)
{
    libxl_domain_config_init(config);
    libxl_domain_create_info_init(&config->c_info);
    config->c_info.type = LIBXL_DOMAIN_TYPE_PV;
    config->c_info.name = strdup(plan->name);
    libxl_uuid_generate(&config->c_info.uuid);
    libxl_defbool_set(&config->c_info.run_hotplug_scripts, true);
    libxl_domain_build_info_init(&config->b_info);
    libxl_domain_build_info_init_type(&config->b_info, LIBXL_DOMAIN_TYPE_PV);
    config->b_info.max_vcpus = 1;
    if (libxl_cpu_bitmap_alloc(dmLibxlContext(libxl), &config->b_info.avail_vcpus, 1)) {
        g_set_error(error, DM_ERROR, DM_ERROR_XEN, _("libxl cannot make a CPU map for stubdomain '%s'"), plan->name);
        return FALSE;
    }
    libxl_bitmap_set(&config->b_info.avail_vcpus, 0);
    config->b_info.max_memkb = (uint64_t)plan->memory * 1024;
    config->b_info.target_memkb = config->b_info.max_memkb;
    if (plan->cpus && !pin(libxl, plan, &config->b_info, error)) {
        return FALSE;
    }
    config->b_info.kernel = strdup(plan->kernel);
    config->b_info.ramdisk = plan->ramdisk ? strdup(plan->ramdisk) : NULL;
    config->b_info.cmdline = commandLine(plan, commandTimeout);
    return TRUE;
}

void
dmDevicesFillDisk(const DmPlanDisk *planned, libxl_device_disk *disk)
{
    libxl_device_disk_init(disk);
    disk->vdev = strdup(planned->vdev);
    disk->pdev_path = strdup(planned->path);
    disk->script = planned->script ? strdup(planned->script) : NULL;
    disk->backend = LIBXL_DISK_BACKEND_PHY; /* the kernel's: nothing in dom0 parses an image */
    disk->format = LIBXL_DISK_FORMAT_RAW;
    disk->readwrite = planned->readonly ? 0 : 1;
    disk->removable = planned->removable ? 1 : 0;
}

void
dmDevicesFillNic(const DmPlanNic *planned, libxl_device_nic *nic)
{
    libxl_device_nic_init(nic);
    nic->devid = (libxl_devid)planned->index;
    nic->nictype = LIBXL_NIC_TYPE_VIF;
    nic->bridge = planned->bridge ? strdup(planned->bridge) : NULL;
    nic->script = planned->script ? strdup(planned->script) : NULL;
    nic->rate_bytes_per_interval = planned->rateBytes;
    nic->rate_interval_usecs = planned->rateInterval;
    memcpy(nic->mac, planned->mac, sizeof(nic->mac));
}
