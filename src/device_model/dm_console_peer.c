/*
 * What a descriptor is good for as dom0's end of a console
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Looked at here and not in the console worker, whose filter knows no fcntl().
 */

#include "config.h"

#include "dm_console_peer.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <glib/gi18n-lib.h>

#include "console_worker_message.h"
#include "dm_error.h"

gboolean
dmConsolePeerDescribe(int fd, guint32 *flags, GError **error)
{
    int status = fcntl(fd, F_GETFL);
    int mode = status & O_ACCMODE;

    if (status < 0 || fcntl(fd, F_SETFL, status | O_NONBLOCK) != 0) {
        g_set_error(error, DM_ERROR, DM_ERROR_SYSTEM, _("cannot use descriptor %d: %s"), fd, g_strerror(errno));
        return FALSE;
    }
    *flags = (mode == O_RDONLY || mode == O_RDWR ? CONSOLE_PEER_READ : 0U) |
             (mode == O_WRONLY || mode == O_RDWR ? CONSOLE_PEER_WRITE : 0U);
    if ((*flags & CONSOLE_PEER_WRITE) && isatty(fd)) {
        *flags |= CONSOLE_PEER_LOSSY;
    }
    return TRUE;
}
