/*
 * The QMP sockets of one device model
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Three servers, one lifetime.
 */

#include "config.h"

#include "dm_sockets.h"

#include <errno.h>

#include <glib/gi18n-lib.h>

#include "dm_commands.h"
#include "dm_error.h"

/* All members: main loop only. */
struct _DmSockets {
    DmQmpServer *libxl;
    DmQmpServer *stat; /* or NULL */
    DmQmpServer *driver;
};

static gboolean
openLibxl(DmSockets *sockets, const DmOptions *options, gpointer opaque, GError **error)
{
    sockets->libxl = options->qmpPath ? dmQmpServerNew(options->qmpPath, dmCommandsLibxl, opaque, error)
                                      : dmQmpServerNewForSocket(options->qmpFd, dmCommandsLibxl, opaque, error);
    if (sockets->libxl && options->statPath) {
        sockets->stat = dmQmpServerNew(options->statPath, dmCommandsLibxl, opaque, error);
    }
    return sockets->libxl && (sockets->stat || !options->statPath);
}

DmSockets *
dmSocketsOpen(const DmOptions *options, const char *runDirectory, gpointer opaque, GError **error)
{
    g_autofree char *path = g_build_filename(runDirectory, "qmp", NULL);
    DmSockets *sockets;

    if (g_mkdir_with_parents(runDirectory, 0700) < 0) {
        g_set_error(error, DM_ERROR, DM_ERROR_SYSTEM, _("cannot make directory '%s': %s"), runDirectory,
                    g_strerror(errno));
        return NULL;
    }
    sockets = g_new0(DmSockets, 1);
    sockets->driver =
        openLibxl(sockets, options, opaque, error) ? dmQmpServerNew(path, dmCommandsDriver, opaque, error) : NULL;
    if (!sockets->driver) {
        g_clear_pointer(&sockets, dmSocketsFree);
    }
    return sockets;
}

void
dmSocketsFree(DmSockets *sockets)
{
    if (!sockets) {
        return;
    }
    dmQmpServerFree(sockets->libxl);
    dmQmpServerFree(sockets->stat);
    dmQmpServerFree(sockets->driver);
    g_free(sockets);
}

int
dmSocketsLibxl(const DmSockets *sockets)
{
    return dmQmpServerSocket(sockets->libxl);
}

void
dmSocketsEvent(DmSockets *sockets, const char *name, JsonObject *data)
{
    dmQmpServerEvent(sockets->driver, name, data);
}
