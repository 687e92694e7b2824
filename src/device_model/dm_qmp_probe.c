/*
 * QMP probe: what libxl asks a device model before it uses it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libxl looks in the answer for the option "run-with" with parameters "chroot"
 * and "user", and without them says "-chroot DIR" and "-runas USER", as all
 * libxl did before 4.20. The list is left empty, so that there is one spelling
 * for xen-stubdom-dm to understand, whatever libxl runs it.
 */

#include "dm_qmp_probe.h"

#include <glib/gi18n.h>
#include <string.h>

#include "dm_qmp_server.h"

/* How long libxl itself waits for the probe: LIBXL_DEVICE_MODEL_START_TIMEOUT. */
#define PROBE_DEADLINE_S 60
/*
 * After "quit", how long the client may take to close its end. It is let go
 * first: libxl logs an error when the probe's process ends before libxl has
 * read the answer and let go of the process.
 */
#define PROBE_QUIT_DEADLINE_S 2

typedef struct {
    GMainLoop *loop;
    guint deadline; /* source */
} Probe;

/* The value of the first option @name that @accept takes, or NULL. */
static const char *
findOption(int argc, char **argv, const char *name, gboolean (*accept)(const char *value))
{
    for (int i = 1; i + 1 < argc; i++) {
        if (g_str_equal(argv[i], name) && accept(argv[i + 1]))
            return argv[i + 1];
    }
    return NULL;
}

static gboolean
acceptAny(const char *value G_GNUC_UNUSED)
{
    return TRUE;
}

static gboolean
acceptNone(const char *value)
{
    return g_str_equal(value, "none") || g_str_has_prefix(value, "none,");
}

static gboolean
acceptSocket(const char *value)
{
    return g_str_has_prefix(value, "socket,") && strstr(value, ",fd=");
}

gboolean
dmQmpProbeWanted(int argc, char **argv)
{
    return findOption(argc, argv, "-machine", acceptNone) && !findOption(argc, argv, "-xen-domid", acceptAny);
}

/* N of ",fd=N", or -1. */
static int
socketFd(int argc, char **argv)
{
    const char *chardev = findOption(argc, argv, "-chardev", acceptSocket);
    g_auto(GStrv) parts = g_strsplit(chardev ? chardev : "", ",", -1);
    guint64 fd;

    for (char **part = parts; *part; part++) {
        if (g_str_has_prefix(*part, "fd=") &&
            g_ascii_string_to_unsigned(*part + strlen("fd="), 10, 0, G_MAXINT, &fd, NULL))
            return (int)fd;
    }
    return -1;
}

static gboolean
probeDeadline(gpointer opaque)
{
    Probe *probe = opaque;

    probe->deadline = 0;
    g_main_loop_quit(probe->loop);
    return G_SOURCE_REMOVE;
}

static void
probeGone(guint left, gpointer opaque)
{
    Probe *probe = opaque;

    if (left == 0)
        g_main_loop_quit(probe->loop);
}

static void
probeOptions(DmQmpRequest *request, JsonObject *arguments G_GNUC_UNUSED, gpointer opaque G_GNUC_UNUSED)
{
    JsonNode *none = json_node_new(JSON_NODE_ARRAY);

    json_node_take_array(none, json_array_new());
    dmQmpRequestReturn(request, none);
}

static void
probeQuit(DmQmpRequest *request, JsonObject *arguments G_GNUC_UNUSED, gpointer opaque)
{
    Probe *probe = opaque;

    dmQmpRequestReturn(request, NULL);
    g_clear_handle_id(&probe->deadline, g_source_remove);
    probe->deadline = g_timeout_add_seconds(PROBE_QUIT_DEADLINE_S, probeDeadline, probe);
}

int
dmQmpProbeRun(int argc, char **argv)
{
    static const DmQmpCommand commands[] = {
        {"query-command-line-options", probeOptions},
        {"quit", probeQuit},
        {NULL, NULL},
    };
    Probe probe = {NULL, 0};
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    g_autoptr(DmQmpServer) server = NULL;
    g_autoptr(GError) error = NULL;

    server = dmQmpServerNewForSocket(socketFd(argc, argv), commands, &probe, &error);
    if (!server) {
        g_printerr(_("%s: cannot answer libxl's questions: %s\n"), g_get_prgname(), error->message);
        return 1;
    }
    dmQmpServerOnGone(server, probeGone, &probe);
    probe.loop = loop;
    probe.deadline = g_timeout_add_seconds(PROBE_DEADLINE_S, probeDeadline, &probe);
    g_main_loop_run(loop);
    g_clear_handle_id(&probe.deadline, g_source_remove);
    return 0;
}
