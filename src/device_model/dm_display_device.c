/*
 * PV framebuffer or PV keyboard of a stubdomain: the backend's side of xenstore
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A device has a phase. Two things move it on: the frontend's state node and
 * the display's replies. When the display dies and comes back, a frontend that
 * is connected does not notice: its page is mapped anew.
 */

#include "config.h"

#include "dm_display_device.h"

#include <unistd.h>

#include <glib/gi18n-lib.h>

#include "dm_error.h"
#include "dm_grant.h"
#include "dm_xenbus.h"
#include "protocol/stubdom_paths.h"

/* A frontend that connects more often than this is playing with us. */
#define CONNECTIONS_MAX 1000U

/* Page numbers of a domain fit into so many bits. */
#define FRAME_MAX (G_GUINT64_CONSTANT(1) << 52)

#define PROTOCOL_X86_32 "x86_32-abi"

typedef enum {
    PHASE_WAITING = 0, /* for a frontend */
    PHASE_CONNECTING,  /* the display was asked to map the page */
    PHASE_CONNECTED,
    PHASE_DISCONNECTING,
    PHASE_SHUT, /* the rules were broken */
} Phase;

/* All members: main loop only. */
struct _DmDisplayDevice {
    DmStore *store;       /* immutable */
    guint stubdomain;     /* immutable */
    DisplayDevice device; /* immutable */
    char *frontend;       /* immutable: path */
    char *backend;        /* immutable: path */
    DmDisplayAskFunc ask; /* immutable */
    gpointer opaque;      /* immutable */
    DmStoreWatch *watch;
    Phase phase;
    guint32 generation; /* of the last CONNECT or DISCONNECT */
    guint connections;
    DisplayGeometry geometry; /* what the display said of the picture of this frontend; width 0: nothing */
};

static void
setState(DmDisplayDevice *device, DmXenbusState state)
{
    g_autoptr(GError) error = NULL;

    if (!dmXenbusSetState(device->store, device->backend, state, &error)) {
        g_warning("%s", error->message);
    }
}

static void
forgetGeometry(DmDisplayDevice *device)
{
    device->geometry = (DisplayGeometry){0};
}

static void
disconnect(DmDisplayDevice *device)
{
    DisplayRequest request = {.type = DISPLAY_REQUEST_DISCONNECT, .device = device->device};

    forgetGeometry(device);
    device->generation = device->ask(&request, -1, device->opaque);
    device->phase = device->generation ? PHASE_DISCONNECTING : PHASE_WAITING;
}

/* The stubdomain broke the rules: shut out for good. */
static void
shut(DmDisplayDevice *device, const char *text)
{
    if (device->phase == PHASE_CONNECTING || device->phase == PHASE_CONNECTED) {
        disconnect(device);
    }
    device->phase = PHASE_SHUT;
    dmStoreUnwatch(device->watch);
    device->watch = NULL;
    setState(device, DM_XENBUS_CLOSED);
    g_printerr("xen-stubdom-dm: the PV %s of stubdomain %u is closed for good: %s\n",
               device->device == DISPLAY_DEVICE_FRAMEBUFFER ? "framebuffer" : "keyboard", device->stubdomain, text);
}

/* --- what the frontend says ------------------------------------------------------- */

static gboolean
readNumber(DmDisplayDevice *device, const char *name, guint64 max, guint64 *value, GError **error)
{
    return dmXenbusReadNumber(device->store, device->frontend, name, max, value, error);
}

/* A number that may be absent: 0 then. */
static gboolean
readOptional(DmDisplayDevice *device, const char *name, guint64 max, guint64 *value, GError **error)
{
    g_autoptr(GError) cause = NULL;

    *value = 0;
    if (readNumber(device, name, max, value, &cause) || g_error_matches(cause, DM_ERROR, DM_ERROR_NOT_FOUND)) {
        return TRUE;
    }
    g_propagate_error(error, g_steal_pointer(&cause));
    return FALSE;
}

static gboolean
readFramebuffer(DmDisplayDevice *device, DisplayRequest *request, GError **error)
{
    g_autofree char *path = g_strconcat(device->frontend, "/protocol", NULL);
    g_autofree char *protocol = dmStoreRead(device->store, path, NULL, NULL);
    guint64 updates = 0;

    if (!readNumber(device, "page-ref", FRAME_MAX, &request->frame, error) ||
        !readOptional(device, "feature-update", 1, &updates, error)) {
        return FALSE;
    }
    if (!updates) {
        g_set_error(error, DM_ERROR, DM_ERROR_STUBDOMAIN,
                    _("its frontend would not say what it changes (feature-update)"));
        return FALSE;
    }
    request->flags = g_strcmp0(protocol, PROTOCOL_X86_32) == 0 ? DISPLAY_FLAG_ABI32 : 0;
    return TRUE;
}

/* Its page is granted, or, as MiniOS has it, only named. */
static gboolean
readKeyboard(DmDisplayDevice *device, DisplayRequest *request, int *fd, GError **error)
{
    g_autoptr(GError) cause = NULL;
    guint64 ref = 0;
    guint64 absolute = 0;
    guint64 raw = 0;

    if (!readOptional(device, "request-abs-pointer", 1, &absolute, error) ||
        !readOptional(device, "request-raw-pointer", 1, &raw, error)) {
        return FALSE;
    }
    request->flags = (absolute ? DISPLAY_FLAG_ABSOLUTE : 0) | (raw ? DISPLAY_FLAG_RAW : 0);
    if (readNumber(device, "page-gref", G_MAXUINT32, &ref, &cause)) {
        *fd = dmGrantOpen(device->stubdomain, (guint32)ref, &request->frame, error);
        return *fd >= 0;
    }
    if (!g_error_matches(cause, DM_ERROR, DM_ERROR_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&cause));
        return FALSE;
    }
    return readNumber(device, "page-ref", FRAME_MAX, &request->frame, error);
}

static void
connectFrontend(DmDisplayDevice *device)
{
    DisplayRequest request = {.type = DISPLAY_REQUEST_CONNECT, .device = device->device, .geometry = device->geometry};
    g_autoptr(GError) error = NULL;
    guint64 port = 0;
    int fd = -1;

    if (++device->connections > CONNECTIONS_MAX) {
        shut(device, _("its frontend connects again and again"));
        return;
    }
    if (!readNumber(device, "event-channel", G_MAXUINT32, &port, &error) ||
        !(device->device == DISPLAY_DEVICE_FRAMEBUFFER ? readFramebuffer(device, &request, &error)
                                                       : readKeyboard(device, &request, &fd, &error))) {
        shut(device, error->message);
        return;
    }
    request.port = (guint32)port;
    device->generation = device->ask(&request, fd, device->opaque);
    device->phase = device->generation ? PHASE_CONNECTING : PHASE_WAITING;
    if (fd >= 0) {
        close(fd);
    }
}

/* --- phases ------------------------------------------------------------------------- */

static gboolean
writeFeatures(DmStore *store, gpointer opaque, GError **error)
{
    static const char *const framebuffer[] = {"request-update", "feature-resize", NULL};
    static const char *const keyboard[] = {"feature-abs-pointer", "feature-raw-pointer", NULL};
    const DmDisplayDevice *device = opaque;
    const char *const *names = device->device == DISPLAY_DEVICE_FRAMEBUFFER ? framebuffer : keyboard;
    g_autofree char *state = g_strconcat(device->backend, "/state", NULL);
    g_autofree char *value = dmStoreRead(store, state, NULL, NULL);

    for (; value && *names; names++) { /* no nodes: nothing is made */
        g_autofree char *path = g_strconcat(device->backend, "/", *names, NULL);

        if (!dmStoreWrite(store, path, "1", error)) {
            return FALSE;
        }
    }
    return TRUE;
}

static void
offer(DmDisplayDevice *device)
{
    g_autoptr(GError) error = NULL;

    forgetGeometry(device);
    if (!dmStoreTransaction(device->store, writeFeatures, device, &error)) {
        g_warning("%s", error->message);
    }
    setState(device, DM_XENBUS_INIT_WAIT);
}

static void
followWaiting(DmDisplayDevice *device, DmXenbusState frontend)
{
    switch (frontend) {
    case DM_XENBUS_INITIALISING:
    case DM_XENBUS_INIT_WAIT:
    case DM_XENBUS_CLOSED:
        offer(device);
        break;
    case DM_XENBUS_INITIALISED:
    case DM_XENBUS_CONNECTED:
        connectFrontend(device);
        break;
    case DM_XENBUS_CLOSING:
        setState(device, DM_XENBUS_CLOSING);
        break;
    case DM_XENBUS_ABSENT:
    case DM_XENBUS_RECONFIGURED:
    default:
        break;
    }
}

void
dmDisplayDeviceFollow(DmDisplayDevice *device)
{
    g_autoptr(GError) error = NULL;
    DmXenbusState frontend;

    if (!dmXenbusReadState(device->store, device->frontend, &frontend, &error)) {
        if (g_error_matches(error, DM_ERROR, DM_ERROR_STUBDOMAIN)) {
            shut(device, error->message);
        } else {
            g_warning("%s", error->message);
        }
        return;
    }
    switch (device->phase) {
    case PHASE_WAITING:
        followWaiting(device, frontend);
        break;
    case PHASE_CONNECTING:
    case PHASE_CONNECTED:
        if (frontend != DM_XENBUS_INITIALISED && frontend != DM_XENBUS_CONNECTED) {
            disconnect(device);
        }
        break;
    case PHASE_DISCONNECTING: /* looked at again when that is done */
    case PHASE_SHUT:
    default:
        break;
    }
}

static void
frontendChanged(const char *changed, gpointer opaque)
{
    dmDisplayDeviceFollow(opaque);
}

static void
handleConnected(DmDisplayDevice *device, int error)
{
    if (device->phase != PHASE_CONNECTING) {
        return;
    }
    if (error) {
        g_autofree char *text =
            g_strdup_printf(_("its page, its pixels or its event channel cannot be used: %s"), g_strerror(error));

        device->phase = PHASE_WAITING;
        shut(device, text);
        return;
    }
    device->phase = PHASE_CONNECTED;
    setState(device, DM_XENBUS_CONNECTED);
    dmDisplayDeviceFollow(device); /* it may have gone meanwhile */
}

void
dmDisplayDeviceReply(DmDisplayDevice *device, const DisplayReply *reply)
{
    if (reply->type == DISPLAY_REPLY_BROKEN && device->phase == PHASE_CONNECTED) {
        device->phase = PHASE_WAITING;
        shut(device, _("its ring makes no sense"));
        return;
    }
    if (reply->generation != device->generation) {
        return;
    }
    if (reply->type == DISPLAY_REPLY_CONNECTED) {
        handleConnected(device, reply->error);
    } else if (reply->type == DISPLAY_REPLY_RESIZED && device->phase == PHASE_CONNECTED) {
        device->geometry = reply->geometry;
    } else if (reply->type == DISPLAY_REPLY_DISCONNECTED && device->phase == PHASE_DISCONNECTING) {
        device->phase = PHASE_WAITING;
        dmDisplayDeviceFollow(device);
    }
}

void
dmDisplayDeviceLost(DmDisplayDevice *device)
{
    if (device->phase != PHASE_SHUT) {
        device->phase = PHASE_WAITING;
        device->generation = 0;
    }
}

DmDisplayDevice *
dmDisplayDeviceNew(DmStore *store, guint stubdomain, DisplayDevice device, DmDisplayAskFunc ask, gpointer opaque,
                   GError **error)
{
    const char *type = device == DISPLAY_DEVICE_FRAMEBUFFER ? STUBDOM_DISPLAY_VFB : STUBDOM_DISPLAY_VKBD;
    DmDisplayDevice *self = g_new0(DmDisplayDevice, 1);
    g_autofree char *state = NULL;

    self->store = store;
    self->stubdomain = stubdomain;
    self->device = device;
    self->frontend = stubdomPathDisplayFrontend(stubdomain, type);
    self->backend = stubdomPathDisplayBackend(stubdomain, type);
    self->ask = ask;
    self->opaque = opaque;
    state = g_strconcat(self->frontend, "/state", NULL);
    self->watch = dmStoreWatch(store, state, frontendChanged, self, error);
    if (!self->watch) {
        g_clear_pointer(&self, dmDisplayDeviceFree);
    }
    return self;
}

void
dmDisplayDeviceFree(DmDisplayDevice *device)
{
    if (device) {
        dmStoreUnwatch(device->watch);
        g_free(device->frontend);
        g_free(device->backend);
        g_free(device);
    }
}
