/*
 * What libxl's `serial` names
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Strict: an option that is not understood is an error and never dropped, since
 * the port would then behave otherwise than its owner believes.
 */

#include "config.h"

#include "dm_serial_spec.h"

#include <string.h>
#include <sys/un.h>

#include <glib/gi18n-lib.h>

#include "dm_error.h"

static gboolean
setUnsupported(const char *text, GError **error)
{
    g_autofree char *shown = g_strescape(text, NULL);

    g_set_error(error, DM_ERROR, DM_ERROR_UNSUPPORTED,
                _("serial port '%s' is not supported with a stubdomain; null, none, pty, file:PATH, unix:PATH, "
                  "tcp:HOST:PORT and the path of a character device are"),
                shown);
    return FALSE;
}

/* QEMU's short and long forms. "wait" makes no sense without "server". */
static gboolean
parseOption(DmSerialSpec *spec, const char *text, const char *option, GError **error)
{
    if (g_str_equal(option, "server") || g_str_equal(option, "server=on")) {
        spec->server = TRUE;
    } else if (g_str_equal(option, "server=off")) {
        spec->server = FALSE;
    } else if (g_str_equal(option, "wait") || g_str_equal(option, "wait=on")) {
        g_warning("serial port '%s': the guest will not wait for a client", text);
    } else if (g_str_equal(option, "nodelay") || g_str_equal(option, "nodelay=on") ||
               g_str_equal(option, "delay=off")) {
        spec->noDelay = TRUE;
    } else if (!g_str_equal(option, "nowait") && !g_str_equal(option, "wait=off")) {
        return setUnsupported(text, error);
    }
    return TRUE;
}

static gboolean
parseOptions(DmSerialSpec *spec, const char *text, char **options, GError **error)
{
    for (; *options; options++) {
        if (!parseOption(spec, text, *options, error)) {
            return FALSE;
        }
    }
    return TRUE;
}

/* HOST:PORT, [HOST]:PORT or :PORT */
static gboolean
parseAddress(DmSerialSpec *spec, const char *address)
{
    const char *colon = strrchr(address, ':');
    guint64 port;
    gsize length;

    if (!colon || !g_ascii_string_to_unsigned(colon + 1, 10, 1, G_MAXUINT16, &port, NULL)) {
        return FALSE;
    }
    length = (gsize)(colon - address);
    if (length >= 2 && address[0] == '[' && colon[-1] == ']') {
        address++;
        length -= 2;
    }
    spec->host = g_strndup(address, length);
    spec->port = (guint16)port;
    return !strpbrk(spec->host, "[]/ ");
}

static gboolean
parseSocket(DmSerialSpec *spec, const char *text, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(text, ",", -1);
    const char *address = strchr(parts[0], ':') + 1;
    struct sockaddr_un name;

    if (!parseOptions(spec, text, parts + 1, error)) {
        return FALSE;
    }
    if (spec->kind == DM_SERIAL_TCP) {
        if (!parseAddress(spec, address) || (!spec->server && !*spec->host)) {
            g_set_error(error, DM_ERROR, DM_ERROR_ARGUMENT, _("serial port '%s' names no host and port"), text);
            return FALSE;
        }
        return TRUE;
    }
    if (*address != '/' || strlen(address) >= sizeof(name.sun_path)) {
        g_set_error(error, DM_ERROR, DM_ERROR_ARGUMENT,
                    _("serial port '%s' names no absolute path of less than %zu bytes"), text, sizeof(name.sun_path));
        return FALSE;
    }
    spec->path = g_strdup(address);
    return TRUE;
}

gboolean
dmSerialSpecParse(DmSerialSpec *spec, const char *text, GError **error)
{
    if (g_str_equal(text, "null") || g_str_equal(text, "none")) {
        spec->kind = DM_SERIAL_NULL;
    } else if (g_str_equal(text, "pty")) {
        spec->kind = DM_SERIAL_PTY;
    } else if (g_str_has_prefix(text, "file:/")) {
        spec->kind = DM_SERIAL_FILE;
        spec->path = g_strdup(text + strlen("file:"));
    } else if (*text == '/') {
        spec->kind = DM_SERIAL_DEVICE;
        spec->path = g_strdup(text);
    } else if (g_str_has_prefix(text, "unix:")) {
        spec->kind = DM_SERIAL_UNIX;
        return parseSocket(spec, text, error);
    } else if (g_str_has_prefix(text, "tcp:")) {
        spec->kind = DM_SERIAL_TCP;
        return parseSocket(spec, text, error);
    } else {
        return setUnsupported(text, error);
    }
    return TRUE;
}

void
dmSerialSpecClear(DmSerialSpec *spec)
{
    g_clear_pointer(&spec->path, g_free);
    g_clear_pointer(&spec->host, g_free);
}
