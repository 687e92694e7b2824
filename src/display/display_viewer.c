/*
 * One viewer
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * libvncserver waits a tenth of a second for a new connection to say whether it
 * is a web browser, and in an HTTP request for each byte. So a connection is
 * given to it only when it has spoken, and then not itself: libvncserver begins
 * with one end of a pair of sockets that holds what was said, and the
 * connection takes that end's place when it has begun.
 */

#include "display_viewer.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/input-event-codes.h>

#include "display_rfb.h"
#include "display_server.h"

/* Messages of a viewer before the others have their turn. */
#define READS_MAX 64

/* Bytes the kernel keeps of what a viewer has not read; some slices. */
#define SEND_BUFFER (256 * 1024)

/* What libvncserver says when it begins: an HTTP response and its version. */
#define GREETING_MAX 4096

static void
tuneSocket(int fd)
{
    int one = 1;
    int size = SEND_BUFFER;

    /* The first fails for unix sockets, which need it not. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

/* A browser is told what libvncserver says, which the others were told already; its request has been read. */
static bool
passGreeting(int fd, int theirs, size_t request)
{
    char greeting[GREETING_MAX];
    ssize_t length = recv(theirs, greeting, sizeof(greeting), MSG_DONTWAIT);
    char said[GREETING_MAX];

    return length > 0 && request <= sizeof(said) && recv(fd, said, request, MSG_DONTWAIT) == (ssize_t)request &&
           send(fd, greeting, (size_t)length, MSG_DONTWAIT | MSG_NOSIGNAL) == length;
}

/* libvncserver 0.9.14 forgets what it allocated for a browser; each connection would cost some KiB for good. */
static void
freeClient(rfbClientPtr client)
{
    if (client->sock != RFB_INVALID_SOCKET) {
        rfbCloseClient(client);
    }
    free(client->wsctx);
    client->wsctx = NULL;
    rfbClientConnectionGone(client);
}

static rfbClientPtr
startClient(DisplayServer *server, int fd, const char *hello, size_t length, uint32_t flags)
{
    rfbClientPtr client = NULL;
    int pair[2];
    bool passed = false;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        close(fd);
        return NULL;
    }
    if (send(pair[1], hello, length, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)length) {
        client = rfbNewClient(server->screen, pair[0]); /* closes its socket if it fails */
    } else {
        close(pair[0]);
    }
    if (client) {
        passed = !(flags & DISPLAY_FLAG_WEBSOCKET) || passGreeting(fd, pair[1], length);
        passed = passed && dup2(fd, client->sock) >= 0;
    }
    close(pair[1]);
    close(fd);
    if (client && !passed) {
        freeClient(client);
        client = NULL;
    }
    return client;
}

DisplayViewer *
displayViewerNew(DisplayServer *server, int fd, const char *hello, size_t length, uint32_t flags)
{
    DisplayViewer *viewer = calloc(1, sizeof(*viewer));

    if (!viewer) {
        close(fd);
        return NULL;
    }
    tuneSocket(fd);
    viewer->client = startClient(server, fd, hello, length, flags);
    if (!viewer->client) {
        free(viewer);
        return NULL;
    }
    viewer->server = server;
    viewer->flags = flags;
    viewer->readable = true;
    viewer->client->clientData = viewer;
    /* Only until it is let in: it also means that a viewer throws out nobody. */
    viewer->client->reverseConnection = (flags & DISPLAY_FLAG_SKIP_AUTH) != 0;
    displayUpdateInit(&viewer->update, (uint32_t)server->screen->width, (uint32_t)server->screen->height);
    return viewer;
}

void
displayViewerFree(DisplayViewer *viewer)
{
    for (uint32_t code = 0; code < DISPLAY_KEYS; code++) {
        if (viewer->keys[code / 8] & 1U << code % 8) {
            displayViewerKey(viewer, code, false);
        }
    }
    displayUpdateFree(&viewer->update);
    freeClient(viewer->client);
    free(viewer);
}

/* --- what it says ------------------------------------------------------------ */

static DisplayRfbState
stateOf(const DisplayViewer *viewer)
{
    switch (viewer->client->state) {
    case RFB_PROTOCOL_VERSION:
        return DISPLAY_RFB_VERSION;
    case RFB_SECURITY_TYPE:
        return DISPLAY_RFB_SECURITY;
    case RFB_AUTHENTICATION:
        return DISPLAY_RFB_RESPONSE;
    case RFB_INITIALISATION:
        return DISPLAY_RFB_INIT;
    default:
        return DISPLAY_RFB_NORMAL;
    }
}

/*
 * libvncserver keeps one list of the ways to be let in for all viewers, so one
 * could choose what was offered to another: nobody goes on without the password
 * who was to give it.
 */
static void
checkProgress(DisplayViewer *viewer)
{
    rfbClientPtr client = viewer->client;
    bool skip = viewer->flags & DISPLAY_FLAG_SKIP_AUTH;
    bool inside = client->state == RFB_INITIALISATION || client->state == RFB_NORMAL;

    if (client->sock == RFB_INVALID_SOCKET) {
        return;
    }
    if (inside && viewer->server->password.required && !skip && !viewer->authenticated) {
        rfbCloseClient(client);
        return;
    }
    if (inside) {
        viewer->authenticated = true; /* a password that is wanted later is for those who come later */
        client->reverseConnection = FALSE;
    }
    if (client->state == RFB_NORMAL && !viewer->initialized) {
        viewer->initialized = true;
        displayUpdateInit(&viewer->update, (uint32_t)client->screen->width, (uint32_t)client->screen->height);
    }
}

static void
process(DisplayViewer *viewer)
{
    rfbProcessClientMessage(viewer->client);
    checkProgress(viewer);
}

/* Whether recv() found the end of what there is; an end for good closes the viewer. */
static bool
ended(DisplayViewer *viewer, ssize_t count)
{
    if (count > 0) {
        return false;
    }
    viewer->readable = false;
    if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
        rfbCloseClient(viewer->client);
    }
    return true;
}

static bool
skipSome(DisplayViewer *viewer)
{
    char waste[4096];
    ssize_t count =
        recv(viewer->client->sock, waste, viewer->skip < sizeof(waste) ? viewer->skip : sizeof(waste), MSG_DONTWAIT);

    if (ended(viewer, count)) {
        return false;
    }
    viewer->skip -= (uint64_t)count;
    return true;
}

/* Whether it has to wait with what changes how pixels are encoded, or is answered at once. */
static bool
busy(DisplayViewer *viewer)
{
    return displayUpdateRunning(&viewer->update) || !displayViewerWritable(viewer);
}

/* A browser's messages are in frames that only libvncserver can read. */
static bool
readBrowser(DisplayViewer *viewer)
{
    char byte;

    if (busy(viewer)) {
        viewer->held = true;
        return false;
    }
    if (!webSocketsHasDataInBuffer(viewer->client) &&
        ended(viewer, recv(viewer->client->sock, &byte, 1, MSG_PEEK | MSG_DONTWAIT))) {
        return false;
    }
    process(viewer);
    return true;
}

/* A part of a message has come; whoever hung up after it sends no more. */
static void
waitForMore(DisplayViewer *viewer)
{
    struct pollfd end = {.fd = viewer->client->sock, .events = POLLRDHUP};

    viewer->readable = false; /* it is said when more comes */
    if (poll(&end, 1, 0) != 0) {
        rfbCloseClient(viewer->client);
    }
}

/* One message. False: no more for now. */
static bool
readOne(DisplayViewer *viewer)
{
    DisplayRfbState state = stateOf(viewer);
    uint8_t data[DISPLAY_RFB_PEEK];
    ssize_t count;

    if (viewer->skip) {
        return skipSome(viewer);
    }
    if (viewer->flags & DISPLAY_FLAG_WEBSOCKET) {
        return readBrowser(viewer);
    }
    count = recv(viewer->client->sock, data, sizeof(data), MSG_PEEK | MSG_DONTWAIT);
    if (ended(viewer, count)) {
        return false;
    }
    if (state == DISPLAY_RFB_INIT && data[0] == 0 && viewer->server->policy & DISPLAY_FLAG_FORCE_SHARED) {
        rfbCloseClient(viewer->client);
        return false;
    }
    switch (displayRfbLook(state, data, (size_t)count, busy(viewer), &viewer->skip)) {
    case DISPLAY_RFB_WAIT:
        waitForMore(viewer);
        return false;
    case DISPLAY_RFB_HOLD:
        viewer->held = true;
        return false;
    case DISPLAY_RFB_PASS:
        process(viewer);
        return true;
    case DISPLAY_RFB_SKIP:
        return true;
    case DISPLAY_RFB_REFUSE:
    default:
        rfbCloseClient(viewer->client);
        return false;
    }
}

bool
displayViewerReadable(DisplayViewer *viewer)
{
    return !displayViewerGone(viewer) && viewer->readable && !(viewer->held && busy(viewer));
}

void
displayViewerRead(DisplayViewer *viewer)
{
    viewer->held = false;
    for (int i = 0; i < READS_MAX && !displayViewerGone(viewer); i++) {
        if (!readOne(viewer)) {
            return;
        }
    }
}

bool
displayViewerWritable(DisplayViewer *viewer)
{
    struct pollfd room = {.fd = viewer->client->sock, .events = POLLOUT};
    int count = poll(&room, 1, 0);

    /* The others are found out when they are read to their end. */
    if (count == 1 && viewer->held && room.revents & (POLLERR | POLLHUP)) {
        rfbCloseClient(viewer->client);
    }
    return count == 1 && room.revents == POLLOUT;
}

/* --- what it presses --------------------------------------------------------- */

void
displayViewerKey(DisplayViewer *viewer, uint32_t code, bool down)
{
    uint8_t bit = (uint8_t)(1U << code % 8);

    if (code == 0 || code >= DISPLAY_KEYS) {
        return;
    }
    if (down) {
        viewer->keys[code / 8] |= bit;
    } else {
        viewer->keys[code / 8] &= (uint8_t)~bit;
    }
    displayInputKey(&viewer->server->input, code, down);
}

void
displayViewerPoint(DisplayViewer *viewer, int buttons, int x, int y)
{
    static const uint32_t codes[] = {BTN_LEFT, BTN_MIDDLE, BTN_RIGHT};
    const DisplayPicture *picture = &viewer->server->picture;
    int pressed = buttons & ~viewer->buttons;
    int changed = buttons ^ viewer->buttons;
    int wheel = (pressed & 8 ? -1 : 0) + (pressed & 16 ? 1 : 0);

    viewer->buttons = buttons;
    displayInputPoint(&viewer->server->input, x < (int)picture->width ? x : (int)picture->width - 1,
                      y < (int)picture->height ? y : (int)picture->height - 1, wheel, picture->width, picture->height);
    for (unsigned int i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (changed & 1 << i) {
            displayViewerKey(viewer, codes[i], buttons & 1 << i);
        }
    }
}
