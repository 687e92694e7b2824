/*
 * libxl's records of a CD-ROM drive
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What libxl_device_disk_list(), `xl block-list` and `xl list -l` show of a
 * guest's drive is in three places: libxl's own record, the backend's nodes, and
 * the domain's configuration that libxl keeps as JSON. libxl_cdrom_insert()
 * writes them all (Xen 4.17 to 4.22); we do in its place.
 */

#pragma once

#include <glib.h>

#include "dm_libxl.h"
#include "dm_store.h"

/**
 * dmCdromRecord:
 * @guest: its domid
 * @vdev: the drive, "hdc"
 * @path: the medium, or NULL for none
 *
 * Returns: FALSE with DM_ERROR_XENSTORE, or DM_ERROR_NOT_FOUND if libxl has no such drive
 */
gboolean dmCdromRecord(DmStore *store, guint guest, const char *vdev, const char *path, GError **error);

/**
 * dmCdromRecordConfig: the same for the configuration libxl keeps; without one there is nothing to do.
 *
 * Returns: FALSE with DM_ERROR_XEN
 */
gboolean dmCdromRecordConfig(DmLibxl *libxl, guint guest, const char *vdev, const char *path, GError **error);

/** Whether libxl has a record of disk @vdev of domain @domid. */
gboolean dmCdromRecordExists(DmStore *store, guint domid, const char *vdev);
