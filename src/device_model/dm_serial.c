/*
 * The dom0 ends of a guest's serial ports
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Each kind of dm_serial_spec.h has one function that opens it. Sockets are one client at a time. Nothing here
 * waits: a listening end does not hold up the guest's start as QEMU's "wait"
 * would, which is therefore taken as "nowait", with a warning.
 */

#include "config.h"

#include "dm_serial.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gi18n-lib.h>

#include "dm_error.h"
#include "dm_serial_spec.h"

/* Time until a connection is tried again, in seconds. */
#define RECONNECT_SECONDS 1

/* All members: main loop only. */
struct _DmSerial {
    DmSerialSpec spec; /* immutable */
    DmSerialPeerFunc func;
    gpointer opaque;
    int slave; /* pty: kept open, so that the master never sees a hang-up */
    char *tty; /* pty */
    GSocket *listener;
    GSource *accepting;
    struct stat socketFile; /* of a listening unix socket, to remove no other's */
    gboolean ownsFile;
    GSocketClient *client;
    GCancellable *cancellable;
    guint retry;
    int opened; /* what startPty() and the like opened, until it is handed on */
    guint handover;
};

DmSerial *
dmSerialNew(const char *spec, GError **error)
{
    DmSerial *serial = g_new0(DmSerial, 1);

    serial->slave = -1;
    serial->opened = -1;
    if (!dmSerialSpecParse(&serial->spec, spec, error)) {
        dmSerialFree(serial);
        return NULL;
    }
    return serial;
}

static void
dropObject(gpointer object)
{
    if (object) {
        g_object_unref(object);
    }
}

static void
stopListening(DmSerial *serial)
{
    struct stat status;

    if (serial->accepting) {
        g_source_destroy(serial->accepting);
        g_source_unref(serial->accepting);
        serial->accepting = NULL;
    }
    dropObject(serial->listener);
    if (serial->ownsFile && lstat(serial->spec.path, &status) == 0 && status.st_dev == serial->socketFile.st_dev &&
        status.st_ino == serial->socketFile.st_ino) {
        unlink(serial->spec.path);
    }
}

void
dmSerialFree(DmSerial *serial)
{
    if (!serial) {
        return;
    }
    stopListening(serial);
    g_cancellable_cancel(serial->cancellable);
    dropObject(serial->cancellable);
    g_clear_handle_id(&serial->retry, g_source_remove);
    g_clear_handle_id(&serial->handover, g_source_remove);
    dropObject(serial->client);
    if (serial->opened >= 0) {
        close(serial->opened);
    }
    if (serial->slave >= 0) {
        close(serial->slave);
    }
    g_free(serial->tty);
    dmSerialSpecClear(&serial->spec);
    g_free(serial);
}

static gboolean
handOver(gpointer opaque)
{
    DmSerial *serial = opaque;
    int fd = serial->opened;

    serial->handover = 0;
    serial->opened = -1;
    serial->func(serial, fd, serial->opaque);
    return G_SOURCE_REMOVE;
}

/* Not at once: the caller of dmSerialStart() first wants to know that it worked, and the pty's name. */
static void
handOverLater(DmSerial *serial, int fd)
{
    serial->opened = fd;
    serial->handover = g_idle_add_full(G_PRIORITY_HIGH, handOver, serial, NULL);
}

static gboolean
makePty(int master, int *slave, char *name, gsize size)
{
    struct termios settings;

    if (grantpt(master) != 0 || unlockpt(master) != 0 || ptsname_r(master, name, size) != 0) {
        return FALSE;
    }
    *slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (*slave < 0 || fchmod(*slave, 0600) != 0 || tcgetattr(*slave, &settings) != 0) {
        return FALSE;
    }
    cfmakeraw(&settings);
    return tcsetattr(*slave, TCSANOW, &settings) == 0;
}

static gboolean
startPty(DmSerial *serial, GError **error)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    char name[64];

    if (master < 0 || !makePty(master, &serial->slave, name, sizeof(name))) {
        g_set_error(error, DM_ERROR, DM_ERROR_SYSTEM, _("cannot make a pty for a serial port: %s"), g_strerror(errno));
        if (master >= 0) {
            close(master);
        }
        return FALSE;
    }
    serial->tty = g_strdup(name);
    handOverLater(serial, master);
    return TRUE;
}

static gboolean
startFile(DmSerial *serial, GError **error)
{
    int fd = open(serial->spec.path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);

    if (fd < 0) {
        g_set_error(error, DM_ERROR, DM_ERROR_SYSTEM, _("cannot open '%s' for a serial port: %s"), serial->spec.path,
                    g_strerror(errno));
        return FALSE;
    }
    handOverLater(serial, fd);
    return TRUE;
}

static gboolean
startDevice(DmSerial *serial, GError **error)
{
    int fd = open(serial->spec.path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct termios settings;
    struct stat status;

    if (fd < 0 || fstat(fd, &status) != 0) {
        g_set_error(error, DM_ERROR, DM_ERROR_SYSTEM, _("cannot open '%s' for a serial port: %s"), serial->spec.path,
                    g_strerror(errno));
    } else if (!S_ISCHR(status.st_mode)) {
        g_set_error(error, DM_ERROR, DM_ERROR_ARGUMENT, _("'%s' is no character device (a file is file:%s)"),
                    serial->spec.path, serial->spec.path);
    } else {
        if (tcgetattr(fd, &settings) == 0) {
            cfmakeraw(&settings);
            tcsetattr(fd, TCSANOW, &settings);
        }
        handOverLater(serial, fd);
        return TRUE;
    }
    if (fd >= 0) {
        close(fd);
    }
    return FALSE;
}

/* GIO closes its descriptor with @socket, so the peer gets one of its own. */
static void
passSocket(DmSerial *serial, GSocket *socket)
{
    int fd = fcntl(g_socket_get_fd(socket), F_DUPFD_CLOEXEC, 0);

    if (fd < 0) {
        g_warning("cannot take a connection of a serial port: %s", g_strerror(errno));
        dmSerialPeerClosed(serial);
        return;
    }
    if (serial->spec.kind == DM_SERIAL_TCP && serial->spec.noDelay) {
        g_socket_set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1, NULL);
    }
    serial->func(serial, fd, serial->opaque);
}

static gboolean
acceptClient(GSocket *listener, GIOCondition condition, gpointer opaque)
{
    DmSerial *serial = opaque;
    g_autoptr(GSocket) socket = g_socket_accept(listener, NULL, NULL);

    if (!socket) {
        return G_SOURCE_CONTINUE;
    }
    g_source_unref(serial->accepting);
    serial->accepting = NULL;
    passSocket(serial, socket);
    return G_SOURCE_REMOVE;
}

static void
awaitClient(DmSerial *serial)
{
    serial->accepting = g_socket_create_source(serial->listener, G_IO_IN, NULL);
    g_source_set_callback(serial->accepting, G_SOURCE_FUNC(acceptClient), serial, NULL);
    g_source_attach(serial->accepting, NULL);
}

/* Names are looked up only for connections, which do not wait for it; a listening end takes numbers. */
static GSocketAddress *
listenAddress(DmSerial *serial, GError **error)
{
    g_autoptr(GInetAddress) address = NULL;

    if (serial->spec.kind == DM_SERIAL_UNIX) {
        return g_unix_socket_address_new(serial->spec.path);
    }
    if (!*serial->spec.host) {
        address = g_inet_address_new_any(G_SOCKET_FAMILY_IPV4);
    } else if (g_str_equal(serial->spec.host, "localhost")) {
        address = g_inet_address_new_loopback(G_SOCKET_FAMILY_IPV4);
    } else {
        address = g_inet_address_new_from_string(serial->spec.host);
    }
    if (!address) {
        g_set_error(error, DM_ERROR, DM_ERROR_ARGUMENT, _("'%s' is no numeric address for a serial port to listen on"),
                    serial->spec.host);
        return NULL;
    }
    return g_inet_socket_address_new(address, serial->spec.port);
}

/* A socket file that nobody listens on any more is in the way; one in use is not ours to remove. */
static void
removeStaleSocket(const char *path)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    struct stat status;
    int probe;

    if (lstat(path, &status) != 0 || !S_ISSOCK(status.st_mode)) {
        return;
    }
    g_strlcpy(name.sun_path, path, sizeof(name.sun_path));
    probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0) {
        return;
    }
    if (connect(probe, (struct sockaddr *)&name, sizeof(name)) != 0 && errno == ECONNREFUSED) {
        unlink(path);
    }
    close(probe);
}

static gboolean
bindListener(DmSerial *serial, GSocketAddress *address, GError **error)
{
    if (!g_socket_bind(serial->listener, address, TRUE, error)) {
        return FALSE;
    }
    serial->ownsFile = serial->spec.kind == DM_SERIAL_UNIX && lstat(serial->spec.path, &serial->socketFile) == 0;
    return TRUE;
}

static gboolean
startListening(DmSerial *serial, GError **error)
{
    g_autoptr(GSocketAddress) address = listenAddress(serial, error);
    g_autoptr(GError) cause = NULL;

    if (!address) {
        return FALSE;
    }
    serial->listener =
        g_socket_new(g_socket_address_get_family(address), G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT, &cause);
    if (serial->listener) {
        g_socket_set_blocking(serial->listener, FALSE);
        g_socket_set_listen_backlog(serial->listener, 1);
        if (serial->spec.kind == DM_SERIAL_UNIX) {
            removeStaleSocket(serial->spec.path);
            /* The file gets the mode the socket has when it is bound. */
            fchmod(g_socket_get_fd(serial->listener), 0600);
        }
    }
    if (!serial->listener || !bindListener(serial, address, &cause) || !g_socket_listen(serial->listener, &cause)) {
        g_autofree char *name = dmSerialFilename(serial);

        g_set_error(error, DM_ERROR, DM_ERROR_SYSTEM, _("serial port '%s' cannot listen: %s"), name, cause->message);
        return FALSE;
    }
    awaitClient(serial);
    return TRUE;
}

static void beginConnect(DmSerial *serial);

static gboolean
retryConnect(gpointer opaque)
{
    DmSerial *serial = opaque;

    serial->retry = 0;
    beginConnect(serial);
    return G_SOURCE_REMOVE;
}

/* A cancelled call belongs to a serial port that has been freed. */
static void
connected(GObject *object, GAsyncResult *result, gpointer opaque)
{
    DmSerial *serial = opaque;
    g_autoptr(GError) error = NULL;
    g_autoptr(GSocketConnection) connection = g_socket_client_connect_finish(G_SOCKET_CLIENT(object), result, &error);

    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        return;
    }
    if (!connection) {
        serial->retry = g_timeout_add_seconds(RECONNECT_SECONDS, retryConnect, serial);
        return;
    }
    passSocket(serial, g_socket_connection_get_socket(connection));
}

static void
beginConnect(DmSerial *serial)
{
    g_autoptr(GSocketConnectable) target = NULL;

    if (serial->spec.kind == DM_SERIAL_UNIX) {
        target = G_SOCKET_CONNECTABLE(g_unix_socket_address_new(serial->spec.path));
    } else {
        target = g_network_address_new(serial->spec.host, serial->spec.port);
    }
    g_socket_client_connect_async(serial->client, target, serial->cancellable, connected, serial);
}

static gboolean
startConnecting(DmSerial *serial)
{
    serial->client = g_socket_client_new();
    g_socket_client_set_enable_proxy(serial->client, FALSE);
    serial->cancellable = g_cancellable_new();
    beginConnect(serial);
    return TRUE;
}

gboolean
dmSerialStart(DmSerial *serial, DmSerialPeerFunc func, gpointer opaque, GError **error)
{
    serial->func = func;
    serial->opaque = opaque;
    switch (serial->spec.kind) {
    case DM_SERIAL_PTY:
        return startPty(serial, error);
    case DM_SERIAL_FILE:
        return startFile(serial, error);
    case DM_SERIAL_DEVICE:
        return startDevice(serial, error);
    case DM_SERIAL_UNIX:
    case DM_SERIAL_TCP:
        return serial->spec.server ? startListening(serial, error) : startConnecting(serial);
    case DM_SERIAL_NULL:
    default:
        handOverLater(serial, -1);
        return TRUE;
    }
}

void
dmSerialPeerClosed(DmSerial *serial)
{
    if (serial->listener && !serial->accepting) {
        awaitClient(serial);
    } else if (serial->client && !serial->retry) {
        serial->retry = g_timeout_add_seconds(RECONNECT_SECONDS, retryConnect, serial);
    }
}

const char *
dmSerialTty(const DmSerial *serial)
{
    return serial->tty;
}

char *
dmSerialFilename(const DmSerial *serial)
{
    const char *server = serial->spec.server ? ",server=on" : "";

    switch (serial->spec.kind) {
    case DM_SERIAL_PTY:
        return g_strdup_printf("pty:%s", serial->tty ? serial->tty : "");
    case DM_SERIAL_FILE:
        return g_strdup("file");
    case DM_SERIAL_DEVICE:
        return g_strdup("serial");
    case DM_SERIAL_UNIX:
        return g_strdup_printf("unix:%s%s", serial->spec.path, server);
    case DM_SERIAL_TCP:
        return g_strdup_printf(strchr(serial->spec.host, ':') ? "tcp:[%s]:%u%s" : "tcp:%s:%u%s", serial->spec.host,
                               serial->spec.port, server);
    case DM_SERIAL_NULL:
    default:
        return g_strdup("null");
    }
}
