/*
 * Restoring the device state of a guest
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The file was made by whoever has the save image, which may have been sent
 * from elsewhere, so it is bounded and looked at as a fresh one is.
 */

#include "config.h"

#include "dm_restore.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <glib/gi18n-lib.h>

#include "dm_error.h"
#include "dm_state.h"
#include "protocol/stubdom_paths.h"

gboolean
dmRestoreCheck(const DmOptions *options, const DmImage *image, GError **error)
{
    int fd = options->incomingFd;

    if (fd < 0) {
        return TRUE;
    }
    if (!dmImageHas(image, "save")) {
        g_set_error(error, DM_ERROR, DM_ERROR_UNSUPPORTED, _("stubdomain image '%s' cannot restore a device state"),
                    image->name);
        return FALSE;
    }
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) {
        g_set_error(error, DM_ERROR, DM_ERROR_SYSTEM, _("descriptor %d ('-incoming') cannot be used: %s"), fd,
                    g_strerror(errno));
        return FALSE;
    }
    if (!dmStateCheckFile(fd, options->saveLimit, image->kind, error)) {
        g_prefix_error(error, "%s", _("the guest cannot be restored: "));
        return FALSE;
    }
    return TRUE;
}

gboolean
dmRestoreFeed(DmConsoles *consoles, const DmOptions *options, GError **error)
{
    g_autofree char *link = g_strdup_printf("/proc/self/fd/%d", options->incomingFd);
    int fd;

    if (options->incomingFd < 0) {
        return TRUE;
    }
    /* Opened again: for reading only, from the beginning, and libxl's may be non-blocking in other hands. */
    fd = open(link, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        g_set_error(error, DM_ERROR, DM_ERROR_SYSTEM, _("the device state to restore cannot be opened: %s"),
                    g_strerror(errno));
        return FALSE;
    }
    (void)close(options->incomingFd);
    return dmConsolesSetPeer(consoles, STUBDOM_CONSOLE_RESTORE, fd, error);
}
