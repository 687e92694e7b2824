/*
 * What a stubdomain's consoles are connected to in dom0
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A serial port's peers come and go; each is handed to the console worker,
 * which says when it is done with it.
 */

#include "config.h"

#include "dm_terminals.h"

#include <string.h>
#include <unistd.h>

#include <glib/gi18n-lib.h>

#include "dm_error.h"
#include "dm_log.h"
#include "dm_restore.h"
#include "dm_serial.h"
#include "protocol/stubdom_command.h"
#include "protocol/stubdom_paths.h"

/* Lines of console 0 in an error message. */
#define LAST_LINES 20
/* Longest path of a pty. */
#define TTY_MAX 64

typedef struct {
    DmTerminals *terminals;
    DmSerial *serial;
    guint console;
    gboolean connected; /* the console is there */
    int early;          /* a peer that came before it, or -1 */
} TerminalPort;

/* All members: main loop only. */
struct _DmTerminals {
    DmStore *store;
    DmLog *log;
    DmConsoles *consoles;
    GPtrArray *ports;    /* of TerminalPort */
    DmStoreWatch *watch; /* on the path of console 0's pty */
    char *ttyPath;
    DmTerminalsFunc func;
    gpointer opaque;
};

static void
portFree(gpointer data)
{
    TerminalPort *port = data;

    dmSerialFree(port->serial);
    if (port->early >= 0) {
        close(port->early);
    }
    g_free(port);
}

DmTerminals *
dmTerminalsNew(DmStore *store, const char *guestName, guint64 logLimit, GError **error)
{
    const char *directory = g_getenv("STUBDOM_LOG_DIR");
    g_autofree char *file = g_strdup_printf("stubdom-%s.log", guestName);
    g_autofree char *path = NULL;
    DmTerminals *terminals;
    DmLog *log;

    g_strdelimit(file, "/", '_');
    path = g_build_filename(directory ? directory : STUBDOM_XEN_LOG_DIR, file, NULL);
    log = dmLogOpen(path, logLimit, error);
    if (!log) {
        return NULL;
    }
    terminals = g_new0(DmTerminals, 1);
    terminals->store = store;
    terminals->log = log;
    terminals->ports = g_ptr_array_new_with_free_func(portFree);
    return terminals;
}

void
dmTerminalsFree(DmTerminals *terminals)
{
    if (!terminals) {
        return;
    }
    dmTerminalsDisconnect(terminals);
    g_ptr_array_unref(terminals->ports);
    dmLogClose(terminals->log);
    g_free(terminals);
}

static TerminalPort *
findPort(DmTerminals *terminals, guint console)
{
    for (guint i = 0; i < terminals->ports->len; i++) {
        TerminalPort *port = g_ptr_array_index(terminals->ports, i);

        if (port->console == console) {
            return port;
        }
    }
    return NULL;
}

static void
consoleEvent(DmConsoles *consoles, guint number, DmConsoleEvent event, const char *text, gpointer opaque)
{
    DmTerminals *terminals = opaque;
    TerminalPort *port = findPort(terminals, number);

    switch (event) {
    case DM_CONSOLE_CONNECTED:
    case DM_CONSOLE_CLOSED:
        break;
    case DM_CONSOLE_PEER_CLOSED:
        if (port) {
            dmSerialPeerClosed(port->serial);
        } else if (number == STUBDOM_CONSOLE_RESTORE && text[0] != '\0') {
            g_printerr("xen-stubdom-dm: the device state to restore cannot be read: %s\n", text);
        }
        break;
    case DM_CONSOLE_LIMIT:
        g_printerr("xen-stubdom-dm: console %u of the stubdomain is cut off: more than its limit came\n", number);
        break;
    case DM_CONSOLE_BROKEN:
        g_printerr("xen-stubdom-dm: console %u of the stubdomain is closed: %s\n", number, text ? text : "");
        break;
    case DM_CONSOLE_WORKER_DIED:
        g_printerr("xen-stubdom-dm: the console worker died: %s; the serial ports stay disconnected until the guest is "
                   "destroyed and started again, and it cannot be saved\n",
                   text ? text : "");
        break;
    }
}

static void
portPeer(DmSerial *serial, int fd, gpointer opaque)
{
    TerminalPort *port = opaque;
    g_autoptr(GError) error = NULL;

    if (!port->connected) {
        if (port->early >= 0) {
            close(port->early);
        }
        port->early = fd;
    } else if (!dmConsolesSetPeer(port->terminals->consoles, port->console, fd, &error)) {
        g_printerr("xen-stubdom-dm: %s\n", error->message);
    }
}

static gboolean
connectPort(DmTerminals *terminals, const char *spec, GError **error)
{
    TerminalPort *port = g_new0(TerminalPort, 1);
    int early;

    port->terminals = terminals;
    port->console = STUBDOM_CONSOLE_SERIAL + terminals->ports->len;
    port->early = -1;
    g_ptr_array_add(terminals->ports, port);
    port->serial = dmSerialNew(spec, error);
    if (!port->serial) {
        return FALSE;
    }
    /* The console's nodes name the pty, so the serial port is started first, and may have its peer at once. */
    if (!dmSerialStart(port->serial, portPeer, port, error) ||
        !dmConsolesAdd(terminals->consoles, port->console, spec, dmSerialTty(port->serial), 0, error)) {
        return FALSE;
    }
    port->connected = TRUE;
    early = port->early;
    port->early = -1;
    return early < 0 || dmConsolesSetPeer(terminals->consoles, port->console, early, error);
}

gboolean
dmTerminalsConnect(DmTerminals *terminals, guint stubdomain, char **serials, const DmOptions *options, GError **error)
{
    terminals->consoles = dmConsolesNew(terminals->store, stubdomain, consoleEvent, terminals, error);
    if (!terminals->consoles ||
        !dmConsolesAdd(terminals->consoles, STUBDOM_CONSOLE_SAVE, "null", NULL, options->saveLimit, error) ||
        !dmConsolesAdd(terminals->consoles, STUBDOM_CONSOLE_RESTORE, "null", NULL, 0, error) ||
        !dmRestoreFeed(terminals->consoles, options, error)) {
        return FALSE;
    }
    for (; *serials; serials++) {
        if (!connectPort(terminals, *serials, error)) {
            return FALSE;
        }
    }
    return TRUE;
}

static void
ttyChanged(const char *changed, gpointer opaque)
{
    DmTerminals *terminals = opaque;
    gsize length = 0;
    g_autofree char *tty = dmStoreRead(terminals->store, terminals->ttyPath, &length, NULL);
    g_autoptr(GError) error = NULL;
    DmTerminalsFunc func;

    if (!tty || length == 0) {
        return;
    }
    /* dom0 owns the node, so its value is xenconsoled's; a wrong one is caught all the same. */
    if (length >= TTY_MAX || strlen(tty) != length || !g_str_has_prefix(tty, "/dev/")) {
        g_autofree char *shown = stubdomTextSanitize(tty, length, STUBDOM_VALUE_MAX);

        g_set_error(&error, DM_ERROR, DM_ERROR_XENSTORE, _("xenconsoled names '%s' as the stubdomain's console"),
                    shown);
    } else {
        dmLogAttachTty(terminals->log, tty, &error);
    }
    g_clear_pointer(&terminals->watch, dmStoreUnwatch);
    func = g_steal_pointer(&terminals->func);
    func(error, terminals->opaque);
}

void
dmTerminalsAwaitLog(DmTerminals *terminals, guint stubdomain, DmTerminalsFunc func, gpointer opaque)
{
    g_autoptr(GError) error = NULL;

    terminals->func = func;
    terminals->opaque = opaque;
    terminals->ttyPath = stubdomPathLogTty(stubdomain);
    terminals->watch = dmStoreWatch(terminals->store, terminals->ttyPath, ttyChanged, terminals, &error);
    if (!terminals->watch) {
        terminals->func = NULL;
        func(error, opaque);
    }
}

void
dmTerminalsCancel(DmTerminals *terminals)
{
    DmTerminalsFunc func = g_steal_pointer(&terminals->func);

    g_clear_pointer(&terminals->watch, dmStoreUnwatch);
    if (func) {
        g_autoptr(GError) error =
            g_error_new(DM_ERROR, DM_ERROR_CANCELLED, _("the wait for the stubdomain's console was given up"));

        func(error, terminals->opaque);
    }
}

void
dmTerminalsDisconnect(DmTerminals *terminals)
{
    g_clear_pointer(&terminals->watch, dmStoreUnwatch);
    g_clear_pointer(&terminals->ttyPath, g_free);
    terminals->func = NULL;
    g_ptr_array_set_size(terminals->ports, 0);
    g_clear_pointer(&terminals->consoles, dmConsolesFree);
}

DmConsoles *
dmTerminalsConsoles(DmTerminals *terminals)
{
    return terminals->consoles;
}

char *
dmTerminalsLastWords(DmTerminals *terminals)
{
    dmLogDrain(terminals->log);
    return dmLogTail(terminals->log, LAST_LINES);
}

void
dmTerminalsPrintLastWords(DmTerminals *terminals)
{
    g_autofree char *words = dmTerminalsLastWords(terminals);
    g_auto(GStrv) lines = g_strsplit(words, "\n", -1);

    if (words[0] != '\0') {
        g_printerr("xen-stubdom-dm: the stubdomain's last lines were:\n");
    }
    for (char **line = lines; *line; line++) {
        if (**line) {
            g_printerr("  | %s\n", *line);
        }
    }
}

char *
dmTerminalsSerialName(DmTerminals *terminals, guint index)
{
    TerminalPort *port = findPort(terminals, STUBDOM_CONSOLE_SERIAL + index);

    return port ? dmSerialFilename(port->serial) : NULL;
}
