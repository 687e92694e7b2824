/*
 * PV devices taken from a running guest
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libxl's part alone: what may be taken, and what becomes of the definition, is
 * decided in stubdom_hotplug.c and stubdom_unfinished.c.
 */

#include "stubdom_compat.h"

#include "stubdom_take.h"

#include <libxl_utils.h>

/* libxl's for a frontend that has never answered (enum xenbus_state of xen/io/xenbus.h). */
#define XENBUS_INIT_WAIT 2

/* A guest that never connected has nothing to let go of. Others are asked. */
static int
removeDisk(StubdomLibxl *libxl, uint32_t domid, libxl_device_disk *disk)
{
    libxl_diskinfo info;
    int state;

    libxl_diskinfo_init(&info);
    state = libxl_device_disk_getinfo(libxl->ctx, domid, disk, &info) == 0 ? info.state : -1;
    libxl_diskinfo_dispose(&info);
    if (state >= 0 && state <= XENBUS_INIT_WAIT) {
        return libxl_device_disk_destroy(libxl->ctx, domid, disk, NULL);
    }
    return libxl_device_disk_safe_remove(libxl->ctx, domid, disk, NULL);
}

int
stubdomTakeDisk(StubdomLibxl *libxl, uint32_t domid, const char *target)
{
    libxl_device_disk disk;
    int rc;

    libxl_device_disk_init(&disk);
    rc = libxl_vdev_to_device_disk(libxl->ctx, domid, target, &disk);
    if (rc == 0) {
        rc = removeDisk(libxl, domid, &disk);
    }
    libxl_device_disk_dispose(&disk);
    if (rc != 0) {
        g_autofree char *text = stubdomLibxlErrorText(libxl, rc);

        virReportError(VIR_ERR_OPERATION_FAILED, _("the guest did not let go of the disk '%s': %s"), target, text);
        return -1;
    }
    return 0;
}

/* libxl takes a card by force from a guest that does not let go. */
int
stubdomTakeNet(StubdomLibxl *libxl, uint32_t domid, const char *mac)
{
    libxl_device_nic nic;
    libxl_nicinfo info;
    int state = -1;
    int rc = ERROR_NOTFOUND;

    libxl_device_nic_init(&nic);
    libxl_nicinfo_init(&info);
    if (stubdomLibxlFindNic(libxl, domid, mac, &nic)) {
        state = libxl_device_nic_getinfo(libxl->ctx, domid, &nic, &info) == 0 ? info.state : -1;
        rc = state >= 0 && state <= XENBUS_INIT_WAIT ? libxl_device_nic_destroy(libxl->ctx, domid, &nic, NULL)
                                                     : libxl_device_nic_remove(libxl->ctx, domid, &nic, NULL);
    }
    libxl_nicinfo_dispose(&info);
    libxl_device_nic_dispose(&nic);
    if (rc != 0) {
        g_autofree char *text = stubdomLibxlErrorText(libxl, rc);

        virReportError(VIR_ERR_OPERATION_FAILED, _("the interface '%s' cannot be unplugged: %s"), mac, text);
        return -1;
    }
    return 0;
}
