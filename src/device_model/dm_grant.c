/*
 * A grant that another process maps
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libxengnttab opens the device; asking it for the grant and mapping it are one
 * call there, so the first half is done here (xen/sys/gntdev.h).
 */

#include "config.h"

#include "dm_grant.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <glib/gi18n-lib.h>
#include <xen/sys/gntdev.h>
#include <xen/xen.h>
#include <xengnttab.h>

#include "dm_error.h"

int
dmGrantOpen(guint domain, guint32 ref, guint64 *offset, GError **error)
{
    struct ioctl_gntdev_map_grant_ref map = {.count = 1, .refs = {{.domid = domain, .ref = ref}}};
    xengnttab_handle *grants = xengnttab_open(NULL, 0);
    int fd = grants ? fcntl(xengnttab_fd(grants), F_DUPFD_CLOEXEC, 3) : -1;
    int code = fd < 0 || ioctl(fd, IOCTL_GNTDEV_MAP_GRANT_REF, &map) < 0 ? errno : 0;

    if (grants) {
        xengnttab_close(grants);
    }
    if (code) {
        g_set_error(error, DM_ERROR, DM_ERROR_SYSTEM, _("grant %u of domain %u cannot be had: %s"), ref, domain,
                    g_strerror(code));
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    *offset = map.index;
    return fd;
}
