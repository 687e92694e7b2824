/*
 * Listening sockets of a display
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Addresses are numbers, as libvirt and libxl write them; a name would have to
 * be looked up, and that can take long.
 */

#include "config.h"

#include "dm_display_listen.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gio/gunixsocketaddress.h>
#include <glib/gi18n-lib.h>

#include "dm_error.h"

/* Connections that may wait to be accepted. */
#define LISTEN_BACKLOG 64

/* Of a unix socket: its owner and group. */
#define SOCKET_MODE 0660

static GSocket *
makeSocket(GSocketAddress *address, GError **error)
{
    g_autoptr(GSocket) socket =
        g_socket_new(g_socket_address_get_family(address), G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT, error);

    if (!socket) {
        return NULL;
    }
    g_socket_set_blocking(socket, FALSE);
    g_socket_set_listen_backlog(socket, LISTEN_BACKLOG);
    if (g_socket_address_get_family(address) == G_SOCKET_FAMILY_IPV6 &&
        !g_socket_set_option(socket, IPPROTO_IPV6, IPV6_V6ONLY, 1, error)) {
        return NULL;
    }
    if (!g_socket_bind(socket, address, TRUE, error) || !g_socket_listen(socket, error)) {
        return NULL;
    }
    return g_steal_pointer(&socket);
}

static GInetAddress *
parseAddress(const char *text)
{
    if (*text == '\0') {
        return g_inet_address_new_any(G_SOCKET_FAMILY_IPV4);
    }
    if (g_str_equal(text, "localhost")) {
        return g_inet_address_new_loopback(G_SOCKET_FAMILY_IPV4);
    }
    return g_inet_address_new_from_string(text);
}

static gboolean
listenAt(DmDisplayListener *listener, const DmDisplayListen *listen, GError **error)
{
    g_autoptr(GInetAddress) address = parseAddress(listen->address);
    g_autoptr(GError) cause = NULL;

    if (!address) {
        g_set_error(error, DM_ERROR, DM_ERROR_ARGUMENT,
                    _("the display cannot listen at '%s': that is no address of numbers"), listen->address);
        return FALSE;
    }
    for (guint port = listen->port; port <= listen->lastPort && !listener->socket; port++) {
        g_autoptr(GSocketAddress) place = g_inet_socket_address_new(address, (guint16)port);

        g_clear_error(&cause);
        listener->socket = makeSocket(place, &cause);
        listener->service = listener->socket ? g_strdup_printf("%u", port) : NULL;
    }
    if (!listener->socket) {
        g_set_error(error, DM_ERROR, DM_ERROR_SYSTEM, _("the display cannot listen at port %u of '%s': %s"),
                    listen->lastPort, listen->address, cause ? cause->message : "");
        return FALSE;
    }
    listener->host = g_inet_address_to_string(address);
    listener->family = g_strdup(g_inet_address_get_family(address) == G_SOCKET_FAMILY_IPV6 ? "ipv6" : "ipv4");
    return TRUE;
}

/* Whether there is nothing at that path, any more: a socket nobody listens on is removed. */
static void
removeStale(GSocketAddress *place, const char *path)
{
    g_autoptr(GSocket) probe = NULL;
    g_autoptr(GError) cause = NULL;
    struct stat status;

    if (lstat(path, &status) != 0 || !S_ISSOCK(status.st_mode)) {
        return;
    }
    probe = g_socket_new(G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT, NULL);
    if (probe) {
        g_socket_set_blocking(probe, FALSE);
        if (!g_socket_connect(probe, place, NULL, &cause) &&
            g_error_matches(cause, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED)) {
            (void)unlink(path);
        }
    }
}

static gboolean
listenUnix(DmDisplayListener *listener, const char *path, GError **error)
{
    g_autoptr(GSocketAddress) place = g_unix_socket_address_new(path);
    g_autoptr(GError) cause = NULL;

    removeStale(place, path);
    listener->socket = makeSocket(place, &cause);
    if (!listener->socket) {
        g_set_error(error, DM_ERROR, DM_ERROR_SYSTEM, _("the display cannot listen at socket '%s': %s"), path,
                    cause->message);
        return FALSE;
    }
    listener->path = g_strdup(path);
    (void)lstat(path, &listener->file);
    if (chmod(path, SOCKET_MODE) != 0) {
        g_set_error(error, DM_ERROR, DM_ERROR_SYSTEM, _("the mode of socket '%s' cannot be set: %s"), path,
                    g_strerror(errno));
        return FALSE;
    }
    listener->host = g_strdup("");
    listener->service = g_strdup(path);
    listener->family = g_strdup("unix");
    return TRUE;
}

DmDisplayListener *
dmDisplayListenerNew(const DmDisplayListen *listen, GError **error)
{
    g_autoptr(DmDisplayListener) listener = g_new0(DmDisplayListener, 1);

    listener->websocket = listen->websocket;
    if (!(listen->socket ? listenUnix(listener, listen->socket, error) : listenAt(listener, listen, error))) {
        return NULL;
    }
    return g_steal_pointer(&listener);
}

void
dmDisplayListenerFree(DmDisplayListener *listener)
{
    struct stat status;

    if (!listener) {
        return;
    }
    if (listener->path && lstat(listener->path, &status) == 0 && status.st_dev == listener->file.st_dev &&
        status.st_ino == listener->file.st_ino) {
        (void)unlink(listener->path);
    }
    g_clear_object(&listener->socket);
    g_free(listener->family);
    g_free(listener->host);
    g_free(listener->service);
    g_free(listener->path);
    g_free(listener);
}
