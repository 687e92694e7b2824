/*
 * The VNC server
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * libvncserver's own loop, sockets and threads are not used: it is given
 * viewers and asked to read, and to encode pixels of our copy of the picture.
 */

#include "display_server.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "display_hooks.h"
#include "display_peer.h"

/* What is shown until there is a framebuffer. */
#define FIRST_WIDTH 640U
#define FIRST_HEIGHT 480U

/* Milliseconds between two copies of the picture, and what MiniOS is told of how often somebody looks. */
#define COPY_PERIOD 10
#define PERIOD_WATCHED 30U
#define PERIOD_ALONE 1000U

/* Milliseconds between two geometries xen-stubdom-dm is told, however often the frontend has another. */
#define TELL_PERIOD 100

/* Milliseconds libvncserver may wait for a browser that sends half a frame; others are never waited for. */
#define CLIENT_WAIT 500

/* Slices of one viewer before the others have their turn. */
#define SLICES_MAX 8

/* --- the picture ---------------------------------------------------------------- */

/* rfbNewFramebuffer() would do it, but it chooses an order of colours of its own. */
static void
showPicture(DisplayServer *server)
{
    rfbScreenInfoPtr screen = server->screen;

    screen->width = (int)server->picture.width;
    screen->height = (int)server->picture.height;
    screen->paddedWidthInBytes = screen->width * (int)sizeof(uint32_t);
    screen->frameBuffer = (char *)server->picture.pixels;
    for (unsigned int i = 0; i < DISPLAY_VIEWERS_MAX; i++) {
        rfbClientPtr client = server->viewers[i] ? server->viewers[i]->client : NULL;

        if (client) {
            sraRgnDestroy(client->modifiedRegion);
            client->modifiedRegion = sraRgnCreateRect(0, 0, screen->width, screen->height);
            client->newFBSizePending = client->useNewFBSize;
        }
    }
}

static bool
resize(DisplayServer *server, uint32_t width, uint32_t height)
{
    if (server->picture.pixels && server->picture.width == width && server->picture.height == height) {
        return true;
    }
    if (!displayPictureResize(&server->picture, width, height)) {
        return false;
    }
    showPicture(server);
    return true;
}

typedef struct {
    sraRegion *region;
    sraRect rect; /* tiles of one band beside each other, not in the region yet */
} Changes;

static void
flushChanges(Changes *changes)
{
    if (changes->rect.x2 > changes->rect.x1) {
        sraRegion *part = sraRgnCreateRect(changes->rect.x1, changes->rect.y1, changes->rect.x2, changes->rect.y2);

        sraRgnOr(changes->region, part);
        sraRgnDestroy(part);
    }
    changes->rect = (sraRect){0};
}

static void
tileChanged(uint32_t x, uint32_t y, uint32_t width, uint32_t height, void *opaque)
{
    Changes *changes = opaque;
    sraRect *rect = &changes->rect;
    sraRect tile = {.x1 = (int)x, .y1 = (int)y, .x2 = (int)(x + width), .y2 = (int)(y + height)};

    if (rect->x2 == tile.x1 && tile.y1 / (int)DISPLAY_BAND == rect->y1 / (int)DISPLAY_BAND) {
        rect->x2 = tile.x2;
        rect->y1 = tile.y1 < rect->y1 ? tile.y1 : rect->y1;
        rect->y2 = tile.y2 > rect->y2 ? tile.y2 : rect->y2;
        return;
    }
    flushChanges(changes);
    *rect = tile;
}

static void
copyPicture(DisplayServer *server)
{
    Changes changes = {.region = sraRgnCreate()};

    displayFramebufferCopy(&server->framebuffer, &server->picture, tileChanged, &changes);
    flushChanges(&changes);
    if (!sraRgnEmpty(changes.region)) {
        rfbMarkRegionAsModified(server->screen, changes.region);
    }
    sraRgnDestroy(changes.region);
}

static bool
dirty(const DisplayServer *server)
{
    return server->framebuffer.ring.page && server->framebuffer.dirty.count > 0;
}

/* --- what xen-stubdom-dm asks --------------------------------------------------- */

static void
answer(const DisplayServer *server, const DisplayRequest *request, DisplayReplyType type, int error)
{
    DisplayReply reply = {.type = type, .device = request->device, .generation = request->generation, .error = error};

    server->xen->reply(&reply);
}

static void
sayBroken(const DisplayServer *server, DisplayDevice device, uint32_t generation)
{
    DisplayReply reply = {.type = DISPLAY_REPLY_BROKEN, .device = device, .generation = generation};

    server->xen->reply(&reply);
}

static void
tellPeriod(DisplayServer *server)
{
    bool watched = false;

    for (unsigned int i = 0; i < DISPLAY_VIEWERS_MAX; i++) {
        watched = watched || server->viewers[i];
    }
    displayFramebufferSetPeriod(&server->framebuffer, watched ? PERIOD_WATCHED : PERIOD_ALONE);
}

/* For a display that comes after this one. Returns in how many milliseconds it is to be called again, or -1. */
static int
tellGeometry(DisplayServer *server, int64_t now)
{
    DisplayReply reply = {
        .type = DISPLAY_REPLY_RESIZED,
        .device = DISPLAY_DEVICE_FRAMEBUFFER,
        .generation = server->framebuffer.connection,
        .geometry = server->framebuffer.geometry,
    };

    if (!server->untold || !server->framebuffer.ring.page) {
        return -1;
    }
    if (now - server->told < TELL_PERIOD) {
        return (int)(server->told + TELL_PERIOD - now);
    }
    server->told = now;
    server->untold = false;
    server->xen->reply(&reply);
    return -1;
}

static int
connectFramebuffer(DisplayServer *server, const DisplayRequest *request)
{
    DisplayFramebuffer *framebuffer = &server->framebuffer;
    int error = displayFramebufferConnect(framebuffer, request);

    server->untold = false;
    if (error == 0 && !resize(server, framebuffer->geometry.width, framebuffer->geometry.height)) {
        displayFramebufferDisconnect(framebuffer);
        error = ENOMEM;
    }
    if (error == 0) {
        tellPeriod(server);
    }
    return error;
}

static void
dump(DisplayServer *server, const DisplayRequest *request, int fd)
{
    int error = EBADF;

    if (dirty(server)) {
        copyPicture(server);
    }
    if (fd >= 0) {
        error = displayPictureWrite(&server->picture, fd);
    }
    answer(server, request, DISPLAY_REPLY_DUMPED, error);
}

static void
setPolicy(DisplayServer *server, uint32_t flags)
{
    server->policy = flags;
    server->password.required = flags & DISPLAY_FLAG_PASSWORD;
    server->screen->authPasswdData = server->password.required ? server : NULL;
    server->screen->alwaysShared = (flags & (DISPLAY_FLAG_FORCE_SHARED | DISPLAY_FLAG_IGNORE_SHARED)) != 0;
}

static void
setPassword(DisplayServer *server, const DisplayRequest *request)
{
    server->password.set = request->flags & DISPLAY_FLAG_SET;
    memcpy(server->password.text, request->text, sizeof(server->password.text));
}

static void
closeViewers(DisplayServer *server)
{
    for (unsigned int i = 0; i < DISPLAY_VIEWERS_MAX; i++) {
        if (server->viewers[i] && !displayViewerGone(server->viewers[i])) {
            rfbCloseClient(server->viewers[i]->client);
        }
    }
}

static void
connectDevice(DisplayServer *server, const DisplayRequest *request, int fd)
{
    int error = request->device == DISPLAY_DEVICE_FRAMEBUFFER ? connectFramebuffer(server, request)
                                                              : displayInputConnect(&server->input, request, fd);

    answer(server, request, DISPLAY_REPLY_CONNECTED, error);
}

static void
disconnectDevice(DisplayServer *server, const DisplayRequest *request, int fd)
{
    if (request->device == DISPLAY_DEVICE_FRAMEBUFFER) {
        displayFramebufferDisconnect(&server->framebuffer);
    } else {
        displayInputDisconnect(&server->input);
    }
    answer(server, request, DISPLAY_REPLY_DISCONNECTED, 0);
}

void
displayServerRequest(DisplayServer *server, const DisplayRequest *request, int fd)
{
    switch (request->type) {
    case DISPLAY_REQUEST_CONNECT:
        connectDevice(server, request, fd);
        break;
    case DISPLAY_REQUEST_DISCONNECT:
        disconnectDevice(server, request, fd);
        break;
    case DISPLAY_REQUEST_POLICY:
        setPolicy(server, request->flags);
        break;
    case DISPLAY_REQUEST_PASSWORD:
        setPassword(server, request);
        break;
    case DISPLAY_REQUEST_EXPIRE:
        server->password.end = request->time;
        break;
    case DISPLAY_REQUEST_CLOSE_VIEWERS:
        closeViewers(server);
        break;
    case DISPLAY_REQUEST_KEY:
        displayInputKey(&server->input, request->value, request->flags & DISPLAY_FLAG_SET);
        break;
    case DISPLAY_REQUEST_DUMP:
        dump(server, request, fd);
        break;
    default:
        break;
    }
    if (fd >= 0) {
        close(fd);
    }
}

/* --- the stubdomain's events ------------------------------------------------------ */

static void
pumpFramebuffer(DisplayServer *server)
{
    DisplayFramebuffer *framebuffer = &server->framebuffer;
    bool resized = false;
    bool sound = displayFramebufferPump(framebuffer, &resized);

    server->untold = server->untold || resized;
    if (sound && (!resized || resize(server, framebuffer->geometry.width, framebuffer->geometry.height))) {
        return;
    }
    sayBroken(server, DISPLAY_DEVICE_FRAMEBUFFER, framebuffer->connection);
    displayFramebufferDisconnect(framebuffer);
}

void
displayServerEvent(DisplayServer *server, evtchn_port_t port)
{
    if (server->framebuffer.ring.page && server->framebuffer.port == port) {
        pumpFramebuffer(server);
    }
    if (server->input.ring.page && server->input.port == port) {
        displayInputPump(&server->input);
    }
}

static void
checkInput(DisplayServer *server)
{
    if (server->input.broken) {
        sayBroken(server, DISPLAY_DEVICE_KEYBOARD, server->input.connection);
        displayInputDisconnect(&server->input);
    }
}

bool
displayServerMore(DisplayServer *server)
{
    if (server->framebuffer.ring.page && server->framebuffer.more) {
        pumpFramebuffer(server);
        return true;
    }
    return false;
}

/* --- viewers ------------------------------------------------------------------------ */

static void
sayViewer(const DisplayViewer *viewer, DisplayReplyType type)
{
    DisplayReply reply = {
        .type = type,
        .viewer = viewer->number,
        .listener = viewer->listener,
        .flags = viewer->flags & DISPLAY_FLAG_WEBSOCKET,
    };

    if (type == DISPLAY_REPLY_VIEWER_CONNECTED) {
        displayPeerDescribe(viewer->client->sock, &reply);
    }
    viewer->server->xen->reply(&reply);
}

int
displayServerAdd(DisplayServer *server, int fd, const char *hello, size_t length, uint32_t flags, uint32_t listener)
{
    for (int i = 0; i < (int)DISPLAY_VIEWERS_MAX; i++) {
        if (!server->viewers[i]) {
            DisplayViewer *viewer = displayViewerNew(server, fd, hello, length, flags);

            if (!viewer) {
                return -1;
            }
            viewer->number = ++server->numbers;
            viewer->listener = listener;
            server->viewers[i] = viewer;
            sayViewer(viewer, DISPLAY_REPLY_VIEWER_CONNECTED);
            tellPeriod(server);
            return i;
        }
    }
    close(fd);
    return -1;
}

static void
removeViewer(DisplayServer *server, unsigned int place)
{
    bool watched = false;

    sayViewer(server->viewers[place], DISPLAY_REPLY_VIEWER_GONE);
    displayViewerFree(server->viewers[place]);
    server->viewers[place] = NULL;
    for (unsigned int i = 0; i < DISPLAY_VIEWERS_MAX; i++) {
        watched = watched || server->viewers[i];
    }
    if (!watched) {
        /* Nobody looks: no memory for a picture nobody sees. */
        displayPictureForget(&server->picture);
        displayDirtyAddAll(&server->framebuffer.dirty);
        tellPeriod(server);
    }
}

static void
readViewer(DisplayViewer *viewer)
{
    bool before = viewer->initialized;

    if (displayViewerReadable(viewer)) {
        displayViewerRead(viewer);
    }
    if (viewer->initialized && !before && !displayViewerGone(viewer)) {
        sayViewer(viewer, DISPLAY_REPLY_VIEWER_INITIALIZED);
    }
}

/* Whether it waits for pixels, and could take some. */
static bool
waitsForPixels(const DisplayViewer *viewer)
{
    return !displayViewerGone(viewer) && viewer->client->state == RFB_NORMAL &&
           !displayUpdateRunning(&viewer->update) && !sraRgnEmpty(viewer->client->requestedRegion);
}

/* Whether there is more to send, and room for it. */
static bool
writeViewer(DisplayViewer *viewer)
{
    for (int i = 0;; i++) {
        if (displayViewerGone(viewer) ||
            (!displayUpdateRunning(&viewer->update) && !displayUpdateWanted(&viewer->update, viewer->client)) ||
            !displayViewerWritable(viewer)) {
            return false;
        }
        if (i == SLICES_MAX) {
            return true;
        }
        displayUpdateSend(&viewer->update, viewer->client);
    }
}

static bool
pixelsWanted(const DisplayServer *server)
{
    for (unsigned int i = 0; i < DISPLAY_VIEWERS_MAX; i++) {
        if (server->viewers[i] && waitsForPixels(server->viewers[i])) {
            return true;
        }
    }
    return false;
}

/* The sooner of two times to wait; -1 is for ever. */
static int
sooner(int wait, int other)
{
    return wait < 0 || (other >= 0 && other < wait) ? other : wait;
}

int
displayServerRun(DisplayServer *server, int64_t now)
{
    bool more = false;
    int wait = tellGeometry(server, now);

    for (unsigned int i = 0; i < DISPLAY_VIEWERS_MAX; i++) {
        if (server->viewers[i]) {
            readViewer(server->viewers[i]);
        }
    }
    if (dirty(server) && pixelsWanted(server)) {
        if (now - server->copied >= COPY_PERIOD) {
            server->copied = now;
            copyPicture(server);
        } else {
            wait = sooner(wait, (int)(server->copied + COPY_PERIOD - now));
        }
    }
    for (unsigned int i = 0; i < DISPLAY_VIEWERS_MAX; i++) {
        if (server->viewers[i]) {
            more = writeViewer(server->viewers[i]) || more;
            more = displayViewerReadable(server->viewers[i]) || more;
        }
        if (server->viewers[i] && displayViewerGone(server->viewers[i])) {
            removeViewer(server, i);
        }
    }
    checkInput(server);
    return more ? 0 : wait;
}

bool
displayServerInit(DisplayServer *server, const DisplayXen *xen, const char *name, uint64_t limit)
{
    memset(server, 0, sizeof(*server));
    server->xen = xen;
    displayFramebufferInit(&server->framebuffer, xen, limit);
    displayInputInit(&server->input, xen);
    displayHooksSilence();
    server->screen = rfbGetScreen(NULL, NULL, (int)FIRST_WIDTH, (int)FIRST_HEIGHT, 8, 3, 4);
    if (!server->screen) {
        return false;
    }
    server->screen->screenData = server;
    server->screen->desktopName = name;
    server->screen->cursor = NULL;
    server->screen->deferUpdateTime = 0;
    server->screen->deferPtrUpdateTime = 0;
    server->screen->maxClientWait = CLIENT_WAIT;
    server->screen->serverFormat.redShift = 16;
    server->screen->serverFormat.greenShift = 8;
    server->screen->serverFormat.blueShift = 0;
    displayHooksInstall(server->screen);
    displayPasswordPrepare();
    return resize(server, FIRST_WIDTH, FIRST_HEIGHT);
}
