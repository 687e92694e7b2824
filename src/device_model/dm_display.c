/*
 * The display of a guest
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Whatever the display was told is kept here, so that one that is started in
 * the place of a dead one is told the same.
 */

#include "config.h"

#include "dm_display.h"

#include <inttypes.h>

#include <glib/gi18n-lib.h>

#include "dm_display_device.h"
#include "dm_error.h"
#include "dm_worker.h"

/* Milliseconds until a display that died is started again: the first time, and at most. */
#define RESTART_DELAY 250U
#define RESTART_DELAY_MAX 30000U

/* Deaths in a row after which nobody tries any more, and how long one has to live for the row to end. */
#define DEATHS_MAX 12U
#define LIFE_MIN (G_GINT64_CONSTANT(60) * G_USEC_PER_SEC)

G_STATIC_ASSERT(DISPLAY_WORKER_FD == DM_WORKER_FD);
G_STATIC_ASSERT(sizeof(DisplayReply) <= DM_WORKER_PACKET_MAX);

/* All members: main loop only. */
struct _DmDisplay {
    DmStore *store;          /* immutable */
    DmDisplayConfig *config; /* immutable */
    char *name;              /* immutable */
    guint timeout;           /* immutable */
    GPtrArray *listeners;    /* immutable: of DmDisplayListener */
    DmDisplayViewers *viewers;
    guint stubdomain; /* 0: not started */
    DmWorker *worker;
    DmDisplayDevice *devices[DISPLAY_DEVICES];
    guint32 generation;
    gint64 started; /* monotonic microseconds */
    guint deaths;   /* in a row */
    guint restart;  /* source */
    DisplayRequest password;
    DisplayRequest expiry;
    guint32 dump; /* generation of the one that is waited for */
    DmDisplayDumpFunc dumped;
    gpointer dumpOpaque;
    guint dumpTimeout; /* source */
};

static gboolean
isAlive(const DmDisplay *display)
{
    return display->worker && dmWorkerPid(display->worker) != 0;
}

/* Returns the generation, or 0 if there is no display to ask. */
static guint32
ask(DmDisplay *display, DisplayRequest *request, int fd, GError **error)
{
    if (!isAlive(display)) {
        g_set_error(error, DM_ERROR, DM_ERROR_SYSTEM, _("the display process is dead%s"),
                    display->restart ? _(" and about to be started again") : "");
        return 0;
    }
    request->generation = ++display->generation;
    return dmWorkerSend(display->worker, request, sizeof(*request), fd, error) ? request->generation : 0;
}

/* For the devices. A display that cannot be asked is dying, and its death is reported. */
static guint32
askForDevice(DisplayRequest *request, int fd, gpointer opaque)
{
    g_autoptr(GError) error = NULL;
    guint32 generation = ask(opaque, request, fd, &error);

    if (!generation) {
        g_message("%s", error->message);
    }
    return generation;
}

/* --- what it says ------------------------------------------------------------------ */

static void
endDump(DmDisplay *display, const GError *error)
{
    DmDisplayDumpFunc dumped = g_steal_pointer(&display->dumped);

    g_clear_handle_id(&display->dumpTimeout, g_source_remove);
    if (dumped) {
        dumped(error, display->dumpOpaque);
    }
}

static void
handleDumped(DmDisplay *display, const DisplayReply *reply)
{
    g_autoptr(GError) error = NULL;

    if (reply->generation != display->dump) {
        return;
    }
    if (reply->error) {
        error =
            g_error_new(DM_ERROR, DM_ERROR_SYSTEM, _("the picture cannot be written: %s"), g_strerror(reply->error));
    }
    endDump(display, error);
}

static gboolean
packetCame(gconstpointer data, gsize length, gpointer opaque)
{
    DmDisplay *display = opaque;
    DisplayReply reply;

    if (!displayReplyParse(data, length, &reply)) {
        return FALSE;
    }
    switch ((DisplayReplyType)reply.type) {
    case DISPLAY_REPLY_CONNECTED:
    case DISPLAY_REPLY_DISCONNECTED:
    case DISPLAY_REPLY_BROKEN:
    case DISPLAY_REPLY_RESIZED:
        if (display->devices[reply.device]) {
            dmDisplayDeviceReply(display->devices[reply.device], &reply);
        }
        return TRUE;
    case DISPLAY_REPLY_DUMPED:
        handleDumped(display, &reply);
        return TRUE;
    case DISPLAY_REPLY_VIEWER_CONNECTED:
    case DISPLAY_REPLY_VIEWER_INITIALIZED:
    case DISPLAY_REPLY_VIEWER_GONE:
        return dmDisplayViewersReply(display->viewers, &reply);
    case DISPLAY_REPLY_LAST:
    default:
        return FALSE;
    }
}

/* --- life and death ----------------------------------------------------------------- */

static void startWorker(DmDisplay *display);

static gboolean
restartNow(gpointer opaque)
{
    DmDisplay *display = opaque;

    display->restart = 0;
    startWorker(display);
    return G_SOURCE_REMOVE;
}

/* Later each time, and not for ever: a stubdomain may be what kills it. */
static void
planRestart(DmDisplay *display, const char *reason)
{
    guint delay;

    if (g_get_monotonic_time() - display->started >= LIFE_MIN) {
        display->deaths = 0;
    }
    if (++display->deaths > DEATHS_MAX) {
        g_printerr("xen-stubdom-dm: the display of '%s' died %u times in a row (%s) and is not started again; "
                   "the guest goes on\n",
                   display->name, display->deaths, reason);
        return;
    }
    delay = MIN(RESTART_DELAY << (display->deaths - 1), RESTART_DELAY_MAX);
    g_printerr("xen-stubdom-dm: the display of '%s': %s; it is started again\n", display->name, reason);
    display->restart = g_timeout_add(delay, restartNow, display);
}

static void
workerDied(const char *reason, gpointer opaque)
{
    DmDisplay *display = opaque;
    g_autoptr(GError) error = g_error_new(DM_ERROR, DM_ERROR_SYSTEM, _("the display process died: %s"), reason);

    for (guint i = 0; i < DISPLAY_DEVICES; i++) {
        if (display->devices[i]) {
            dmDisplayDeviceLost(display->devices[i]);
        }
    }
    planRestart(display, reason);
    dmDisplayViewersLost(display->viewers);
    endDump(display, error);
}

static guint32
listenerFlags(const DmDisplayListener *listener)
{
    return listener->websocket ? DISPLAY_FLAG_WEBSOCKET : 0;
}

static guint32
policyFlags(const DmDisplayConfig *config)
{
    return (config->password ? DISPLAY_FLAG_PASSWORD : 0) |
           (config->share == DM_DISPLAY_SHARE_FORCE_SHARED ? DISPLAY_FLAG_FORCE_SHARED : 0) |
           (config->share == DM_DISPLAY_SHARE_IGNORE ? DISPLAY_FLAG_IGNORE_SHARED : 0);
}

/* Everything a fresh display has to know of who may look. */
static gboolean
tellPolicy(DmDisplay *display, GError **error)
{
    DisplayRequest policy = {.type = DISPLAY_REQUEST_POLICY, .flags = policyFlags(display->config)};

    return ask(display, &policy, -1, error) && ask(display, &display->password, -1, error) &&
           ask(display, &display->expiry, -1, error);
}

static gboolean
tellListeners(DmDisplay *display, GError **error)
{
    for (guint i = 0; i < display->listeners->len; i++) {
        const DmDisplayListener *listener = g_ptr_array_index(display->listeners, i);
        DisplayRequest request = {.type = DISPLAY_REQUEST_LISTEN, .value = i, .flags = listenerFlags(listener)};

        if (!ask(display, &request, g_socket_get_fd(listener->socket), error)) {
            return FALSE;
        }
    }
    return TRUE;
}

static void
startWorker(DmDisplay *display)
{
    const char *other = g_getenv("STUBDOM_DISPLAY");
    g_autofree char *domid = g_strdup_printf("%u", display->stubdomain);
    g_autofree char *memory = g_strdup_printf("%" PRIu64, display->config->memory / 1024);
    const char *program = other ? other : STUBDOM_LIBEXEC_DIR "/xen-stubdom-display";
    const char *argv[] = {program, "--stubdomain", domid, "--memory", memory, "--name", display->name, NULL};
    g_autoptr(GError) error = NULL;

    g_clear_pointer(&display->worker, dmWorkerFree);
    display->started = g_get_monotonic_time();
    display->worker = dmWorkerStart(_("the display process"), argv, TRUE, packetCame, workerDied, display, &error);
    if (!display->worker) {
        planRestart(display, error->message);
        return;
    }
    if (tellPolicy(display, &error)) {
        for (guint i = 0; i < DISPLAY_DEVICES; i++) {
            if (display->devices[i]) {
                dmDisplayDeviceFollow(display->devices[i]);
            }
        }
        (void)tellListeners(display, &error); /* last: whoever comes in finds the rest */
    }
    if (error) {
        g_message("%s", error->message); /* it is dying, which is reported */
    }
}

void
dmDisplayStart(DmDisplay *display, guint stubdomain)
{
    g_autoptr(GError) error = NULL;

    display->stubdomain = stubdomain;
    for (guint i = 0; i < DISPLAY_DEVICES && !error; i++) {
        display->devices[i] =
            dmDisplayDeviceNew(display->store, stubdomain, (DisplayDevice)i, askForDevice, display, &error);
    }
    if (error) {
        g_printerr("xen-stubdom-dm: the display of '%s' shows nothing: %s\n", display->name, error->message);
    }
    startWorker(display);
}

void
dmDisplayStop(DmDisplay *display)
{
    g_autoptr(GError) error = g_error_new(DM_ERROR, DM_ERROR_DEAD, _("the stubdomain is gone"));

    g_clear_handle_id(&display->restart, g_source_remove);
    for (guint i = 0; i < DISPLAY_DEVICES; i++) {
        g_clear_pointer(&display->devices[i], dmDisplayDeviceFree);
    }
    g_clear_pointer(&display->worker, dmWorkerFree);
    display->stubdomain = 0;
    dmDisplayViewersLost(display->viewers);
    endDump(display, error);
}

DmDisplay *
dmDisplayNew(DmStore *store, DmDisplayConfig *config, const char *name, guint timeout, DmDisplayEventFunc func,
             gpointer opaque, GError **error)
{
    DmDisplay *display = g_new0(DmDisplay, 1);

    display->store = store;
    display->config = config;
    display->name = g_strdup(name);
    display->timeout = timeout;
    display->listeners = g_ptr_array_new_with_free_func((GDestroyNotify)dmDisplayListenerFree);
    display->viewers = dmDisplayViewersNew(display->listeners, config->password, func, opaque);
    display->password.type = DISPLAY_REQUEST_PASSWORD;
    display->expiry.type = DISPLAY_REQUEST_EXPIRE;
    for (guint i = 0; i < config->listens->len; i++) {
        DmDisplayListener *listener = dmDisplayListenerNew(g_ptr_array_index(config->listens, i), error);

        if (!listener) {
            dmDisplayFree(display);
            return NULL;
        }
        g_ptr_array_add(display->listeners, listener);
    }
    return display;
}

void
dmDisplayFree(DmDisplay *display)
{
    if (!display) {
        return;
    }
    dmDisplayStop(display);
    dmDisplayViewersFree(display->viewers);
    g_ptr_array_unref(display->listeners);
    dmDisplayConfigFree(display->config);
    g_free(display->name);
    g_free(display);
}

/* --- what is wanted of it --------------------------------------------------------------- */

JsonObject *
dmDisplayDescribe(const DmDisplay *display)
{
    return dmDisplayViewersDescribe(display->viewers);
}

guint
dmDisplayViewerCount(const DmDisplay *display)
{
    return dmDisplayViewersCount(display->viewers);
}

gboolean
dmDisplaySetPassword(DmDisplay *display, const char *password, GError **error)
{
    DisplayRequest *request = &display->password;

    if (!display->config->password) {
        g_set_error(error, DM_ERROR, DM_ERROR_ARGUMENT,
                    _("viewers of this display are not asked for a password; it has to be started so that they are"));
        return FALSE;
    }
    request->flags = DISPLAY_FLAG_SET;
    (void)g_strlcpy(request->text, password, sizeof(request->text));
    return ask(display, request, -1, error) != 0;
}

gboolean
dmDisplaySetExpiry(DmDisplay *display, gint64 end, GError **error)
{
    display->expiry.time = end;
    return ask(display, &display->expiry, -1, error) != 0;
}

gboolean
dmDisplayCloseViewers(DmDisplay *display, GError **error)
{
    DisplayRequest request = {.type = DISPLAY_REQUEST_CLOSE_VIEWERS};

    return ask(display, &request, -1, error) != 0;
}

gboolean
dmDisplaySendKey(DmDisplay *display, guint code, gboolean down, GError **error)
{
    DisplayRequest request = {.type = DISPLAY_REQUEST_KEY, .value = code, .flags = down ? DISPLAY_FLAG_SET : 0};

    if (code == 0 || code >= DISPLAY_KEYS) {
        g_set_error(error, DM_ERROR, DM_ERROR_ARGUMENT, _("there is no key %u: Linux's codes go from 1 to %u"), code,
                    DISPLAY_KEYS - 1);
        return FALSE;
    }
    return ask(display, &request, -1, error) != 0;
}

gboolean
dmDisplayAddViewer(DmDisplay *display, int fd, gboolean skipAuth, GError **error)
{
    DisplayRequest request = {.type = DISPLAY_REQUEST_VIEWER, .flags = skipAuth ? DISPLAY_FLAG_SKIP_AUTH : 0};

    return ask(display, &request, fd, error) != 0;
}

static gboolean
dumpExpired(gpointer opaque)
{
    DmDisplay *display = opaque;
    g_autoptr(GError) error =
        g_error_new(DM_ERROR, DM_ERROR_TIMEOUT, _("the display process did not write the picture in time"));

    display->dumpTimeout = 0;
    endDump(display, error);
    return G_SOURCE_REMOVE;
}

gboolean
dmDisplayDump(DmDisplay *display, int fd, DmDisplayDumpFunc func, gpointer opaque, GError **error)
{
    DisplayRequest request = {.type = DISPLAY_REQUEST_DUMP};

    if (display->dumped) {
        g_set_error(error, DM_ERROR, DM_ERROR_BUSY, _("a picture is being written already"));
        return FALSE;
    }
    display->dump = ask(display, &request, fd, error);
    if (!display->dump) {
        return FALSE;
    }
    display->dumped = func;
    display->dumpOpaque = opaque;
    display->dumpTimeout = g_timeout_add(display->timeout, dumpExpired, display);
    return TRUE;
}

GPid
dmDisplayPid(const DmDisplay *display)
{
    return display->worker ? dmWorkerPid(display->worker) : 0;
}
