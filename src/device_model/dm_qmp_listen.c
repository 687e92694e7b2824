/*
 * QMP listener: the socket of the QMP server
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The socket's mode keeps others out; the peer's credentials are asked as
 * well, because a directory may be shared and a passed socket is not of our
 * making. A descriptor is kept in reserve: without it, a process that has run
 * out of them could not even refuse a connection and would spin on it.
 */

#include "dm_qmp_listen.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "dm_error.h"

/* Connections that may wait to be accepted. */
#define LISTEN_BACKLOG 8

struct _DmQmpListener {
    int fd;
    int spare;
    guint source;
    char *path; /* NULL: the socket was passed to us */
    dev_t device;
    ino_t inode; /* of @path as we made it */
    DmQmpAcceptFunc func;
    gpointer opaque;
};

static gboolean
listenError(GError **error, int code, const char *call, const char *path)
{
    /* TRANSLATORS: a path, the name of a system call, its error */
    g_set_error(error, DM_ERROR, DM_ERROR_SYSTEM, _("QMP socket %s: %s: %s"), path, call, g_strerror(code));
    return FALSE;
}

static DmQmpListener *
listenerNew(int fd)
{
    DmQmpListener *listener = g_new0(DmQmpListener, 1);

    listener->fd = fd;
    listener->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return listener;
}

/* Removes a socket nobody listens on. FALSE if there is anything else. */
static gboolean
removeStale(const struct sockaddr_un *address, GError **error)
{
    int probe;
    int code;
    struct stat status;

    if (lstat(address->sun_path, &status) < 0)
        return errno == ENOENT || listenError(error, errno, "lstat", address->sun_path);
    if (!S_ISSOCK(status.st_mode))
        return listenError(error, EEXIST, "bind", address->sun_path);
    probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0)
        return listenError(error, errno, "socket", address->sun_path);
    code = connect(probe, (const struct sockaddr *)address, sizeof(*address)) < 0 ? errno : 0;
    close(probe);
    if (code != ECONNREFUSED) {
        g_set_error(error, DM_ERROR, DM_ERROR_BUSY, _("another process listens on the QMP socket %s"),
                    address->sun_path);
        return FALSE;
    }
    if (unlink(address->sun_path) < 0 && errno != ENOENT)
        return listenError(error, errno, "unlink", address->sun_path);
    return TRUE;
}

/*
 * Gives @fd its name and listens. On Linux a socket's mode before bind() is its
 * name's mode: there is no moment in which others may connect.
 */
static gboolean
listenAt(int fd, const struct sockaddr_un *address, struct stat *status, GError **error)
{
    if (fchmod(fd, S_IRUSR | S_IWUSR) < 0 || bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
        return listenError(error, errno, "bind", address->sun_path);
    if (lstat(address->sun_path, status) < 0 || listen(fd, LISTEN_BACKLOG) < 0) {
        listenError(error, errno, "listen", address->sun_path);
        unlink(address->sun_path);
        return FALSE;
    }
    return TRUE;
}

DmQmpListener *
dmQmpListenerNew(const char *path, GError **error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    DmQmpListener *listener;
    struct stat status;
    int fd;

    if (g_strlcpy(address.sun_path, path, sizeof(address.sun_path)) >= sizeof(address.sun_path)) {
        listenError(error, ENAMETOOLONG, "bind", path);
        return NULL;
    }
    if (!removeStale(&address, error))
        return NULL;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        listenError(error, errno, "socket", path);
        return NULL;
    }
    if (!listenAt(fd, &address, &status, error)) {
        close(fd);
        return NULL;
    }
    listener = listenerNew(fd);
    listener->path = g_strdup(path);
    listener->device = status.st_dev;
    listener->inode = status.st_ino;
    return listener;
}

/* A number of SOL_SOCKET, or -1. */
static int
socketOption(int fd, int option)
{
    int value = -1;
    socklen_t size = sizeof(value);

    return getsockopt(fd, SOL_SOCKET, option, &value, &size) < 0 ? -1 : value;
}

DmQmpListener *
dmQmpListenerNewForSocket(int fd, GError **error)
{
    if (socketOption(fd, SO_DOMAIN) != AF_UNIX || socketOption(fd, SO_TYPE) != SOCK_STREAM ||
        socketOption(fd, SO_ACCEPTCONN) != 1) {
        g_set_error(error, DM_ERROR, DM_ERROR_ARGUMENT, _("file descriptor %d is no listening unix socket"), fd);
        return NULL;
    }
    if (!g_unix_set_fd_nonblocking(fd, TRUE, NULL) || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) {
        g_set_error(error, DM_ERROR, DM_ERROR_SYSTEM, _("cannot use file descriptor %d: %s"), fd, g_strerror(errno));
        return NULL;
    }
    return listenerNew(fd);
}

int
dmQmpListenerSocket(const DmQmpListener *listener)
{
    return listener->fd;
}

void
dmQmpListenerFree(DmQmpListener *listener)
{
    struct stat status;

    if (!listener)
        return;
    g_clear_handle_id(&listener->source, g_source_remove);
    if (listener->path && lstat(listener->path, &status) == 0 && status.st_dev == listener->device &&
        status.st_ino == listener->inode)
        unlink(listener->path);
    close(listener->fd);
    if (listener->spare >= 0)
        close(listener->spare);
    g_free(listener->path);
    g_free(listener);
}

static gboolean
peerMayTalk(int fd)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
        return FALSE;
    if (peer.uid == 0 || peer.uid == geteuid())
        return TRUE;
    g_message("QMP client refused: user %u, process %d", (guint)peer.uid, (int)peer.pid);
    return FALSE;
}

/* Refuses one connection with the descriptor kept for that. */
static void
refuseOne(DmQmpListener *listener)
{
    int fd;

    g_message("QMP client refused: out of file descriptors");
    if (listener->spare >= 0)
        close(listener->spare);
    fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0)
        close(fd);
    listener->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static gboolean
listenReadable(gint fd, GIOCondition condition G_GNUC_UNUSED, gpointer opaque)
{
    DmQmpListener *listener = opaque;
    int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (client >= 0 && peerMayTalk(client))
        listener->func(client, listener->opaque);
    else if (client >= 0)
        close(client);
    else if (errno == EMFILE || errno == ENFILE)
        refuseOne(listener);
    return G_SOURCE_CONTINUE;
}

void
dmQmpListenerStart(DmQmpListener *listener, DmQmpAcceptFunc func, gpointer opaque)
{
    listener->func = func;
    listener->opaque = opaque;
    listener->source = g_unix_fd_add(listener->fd, G_IO_IN, listenReadable, listener);
}
