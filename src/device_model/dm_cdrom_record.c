/*
 * libxl's record of a CD-ROM drive in xenstore
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The drive of an HVM guest has a "qdisk" backend, which is nobody's: its
 * medium is `params` with the driver in front, which libxl takes off again.
 */

#include "config.h"

#include "dm_cdrom_record.h"

#include <glib/gi18n-lib.h>

#include "dm_error.h"
#include "dm_guest.h"

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

gboolean
dmCdromRecordExists(DmStore *store, guint domid, const char *vdev)
{
    g_autofree char *record = recordOf(domid, vdev);
    g_autofree char *backend = g_strconcat(record, "/backend", NULL);
    g_autofree char *value = dmStoreRead(store, backend, NULL, NULL);

    return value != NULL;
}
