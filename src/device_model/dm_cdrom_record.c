/*
 * libxl's records of a CD-ROM drive
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The drive of an HVM guest has a "qdisk" backend, which is nobody's: its
 * medium is `params` with the driver in front, which libxl takes off again.
 */

#include "config.h"

#include "dm_cdrom_record.h"

#include <stdlib.h>
#include <string.h>

#include <glib/gi18n-lib.h>

#include "dm_error.h"
#include "dm_guest.h"

/* Name of the configuration among the data libxl keeps of a domain (libxl_internal.h, libxl__get_domain_configuration).
 */
#define CONFIG_DATA "libxl-json"

/* What is written, in one transaction. */
typedef struct {
    const char *record;
    const char *path;
} RecordChange;

static char *
recordOf(guint domid, const char *vdev)
{
    g_autoptr(DmDisk) disk = dmDiskNew(vdev, NULL);

    return disk ? g_strdup_printf("/libxl/%u/device/vbd/%u", domid, dmDiskNumber(disk)) : g_strdup("");
}

static gboolean
writeRecord(DmStore *store, gpointer opaque, GError **error)
{
    const RecordChange *change = opaque;
    g_autofree char *backendNode = g_strconcat(change->record, "/backend", NULL);
    g_autofree char *typeNode = g_strconcat(change->record, "/type", NULL);
    g_autofree char *backend = dmStoreRead(store, backendNode, NULL, error);
    g_autofree char *type = backend ? dmStoreRead(store, typeNode, NULL, error) : NULL;
    g_autofree char *ours = g_strconcat(change->record, "/params", NULL);
    g_autofree char *theirs = backend ? g_strconcat(backend, "/params", NULL) : NULL;
    g_autofree char *value = NULL;

    if (!type) {
        return FALSE;
    }
    value = change->path ? g_strconcat(g_str_equal(type, "qdisk") ? "aio:" : "", change->path, NULL) : g_strdup("");
    return dmStoreWrite(store, ours, value, error) && dmStoreWrite(store, theirs, value, error);
}

gboolean
dmCdromRecord(DmStore *store, guint guest, const char *vdev, const char *path, GError **error)
{
    g_autofree char *record = recordOf(guest, vdev);
    RecordChange change = {.record = record, .path = path};
    g_autoptr(GError) cause = NULL;

    if (dmStoreTransaction(store, writeRecord, &change, &cause)) {
        return TRUE;
    }
    g_set_error(error, DM_ERROR, cause->code, _("libxl's record of it cannot be written: %s"), cause->message);
    return FALSE;
}

/* @json with another medium; NULL with DM_ERROR_XEN. To be freed with free(), as what libxl makes. */
static char *
changeConfig(libxl_ctx *ctx, const char *json, const char *vdev, const char *path, GError **error)
{
    libxl_domain_config config;
    char *changed = NULL;

    libxl_domain_config_init(&config);
    if (libxl_domain_config_from_json(ctx, &config, json) == 0) {
        for (int i = 0; i < config.num_disks; i++) {
            libxl_device_disk *disk = &config.disks[i];

            if (g_strcmp0(disk->vdev, vdev) == 0) {
                free(disk->pdev_path);
                disk->pdev_path = path ? strdup(path) : NULL;
                disk->format = path ? LIBXL_DISK_FORMAT_RAW : LIBXL_DISK_FORMAT_EMPTY;
            }
        }
        changed = libxl_domain_config_to_json(ctx, &config);
    }
    libxl_domain_config_dispose(&config);
    if (!changed) {
        g_set_error(error, DM_ERROR, DM_ERROR_XEN, _("the configuration libxl keeps of it cannot be read"));
    }
    return changed;
}

gboolean
dmCdromRecordConfig(DmLibxl *libxl, guint guest, const char *vdev, const char *path, GError **error)
{
    libxl_ctx *ctx = dmLibxlContext(libxl);
    uint8_t *data = NULL;
    char *changed = NULL;
    int length = 0;
    int rc = libxl_userdata_retrieve(ctx, guest, CONFIG_DATA, &data, &length);

    if (rc == 0 && data) {
        g_autofree char *json = g_strndup((const char *)data, (gsize)length);

        changed = changeConfig(ctx, json, vdev, path, error);
        rc = changed ? libxl_userdata_store(ctx, guest, CONFIG_DATA, (const uint8_t *)changed, (int)strlen(changed) + 1)
                     : 0;
    }
    if (rc) {
        dmLibxlSetError(libxl, error, _("write down the medium in the configuration libxl keeps"), rc);
    }
    rc = rc || (data && !changed);
    free(changed);
    free(data);
    return rc == 0;
}

gboolean
dmCdromRecordExists(DmStore *store, guint domid, const char *vdev)
{
    g_autofree char *record = recordOf(domid, vdev);
    g_autofree char *backend = g_strconcat(record, "/backend", NULL);
    g_autofree char *value = dmStoreRead(store, backend, NULL, NULL);

    return value != NULL;
}
