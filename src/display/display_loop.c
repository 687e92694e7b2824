/*
 * The display's event loop
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Three sources, and one that stands for all connections. Those are watched by
 * edges, because a message of which only a half has come would be reported
 * again and again otherwise. The stubdomain's events have a share of the time,
 * so that one that sends them without end leaves some to viewers and dom0.
 */

#include "display_loop.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "display_lobby.h"
#include "display_server.h"
#include "worker/worker_program.h"

/* Turns of the stubdomain's events in so many milliseconds. */
#define WORK_MAX 100
#define WORK_PERIOD_MS 10

/* Connections looked at in one turn. */
#define EVENTS_MAX 32

enum { POLL_SOCKET = 0, POLL_EVENTS, POLL_CONNECTIONS, POLL_SOURCES };

/* What an event of the connections is about: a kind, and a place among those. */
typedef enum {
    KIND_LISTENER = 0,
    KIND_GUEST,
    KIND_VIEWER,
} Kind;

static struct {
    const DisplayXen *xen;
    DisplayServer server;
    DisplayLobby lobby;
    int connections; /* epoll */
    bool shut;       /* listeners are not watched: too many came */
    int64_t start;   /* of the stubdomain's period */
    int spent;
} loop;

static int64_t
nowMs(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits if xen-stubdom-dm is slow. */
static void
sendToParent(const DisplayReply *reply)
{
    ssize_t count;

    do {
        count = send(DISPLAY_WORKER_FD, reply, sizeof(*reply), MSG_NOSIGNAL);
    } while (count < 0 && errno == EINTR);
    if (count != (ssize_t)sizeof(*reply)) {
        _exit(EXIT_FAILURE);
    }
}

static void
watch(int fd, Kind kind, int place, uint32_t events)
{
    struct epoll_event event = {.events = events, .data = {.u64 = (uint64_t)kind << 32 | (uint32_t)place}};

    if (epoll_ctl(loop.connections, EPOLL_CTL_ADD, fd, &event) != 0) {
        _exit(EXIT_FAILURE);
    }
}

static void
watchGuest(int place)
{
    if (place >= 0) {
        watch(loop.lobby.guests[place].fd, KIND_GUEST, place, EPOLLIN | EPOLLRDHUP | EPOLLET);
    }
}

static void
spoken(int fd, const char *hello, size_t length, uint32_t flags, uint32_t listener, void *opaque)
{
    int place;

    (void)epoll_ctl(loop.connections, EPOLL_CTL_DEL, fd, NULL);
    place = displayServerAdd(&loop.server, fd, hello, length, flags, listener);
    if (place >= 0) {
        watch(loop.server.viewers[place]->client->sock, KIND_VIEWER, place, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
    }
}

/* --- requests ------------------------------------------------------------------- */

static void
dispatch(const DisplayRequest *request, int fd)
{
    switch (request->type) {
    case DISPLAY_REQUEST_LISTEN:
        if (fd >= 0) {
            displayLobbyListen(&loop.lobby, request->value, fd, request->flags);
            watch(fd, KIND_LISTENER, (int)request->value, EPOLLIN);
        }
        break;
    case DISPLAY_REQUEST_VIEWER:
        if (fd >= 0) {
            watchGuest(displayLobbyAdd(&loop.lobby, fd, DISPLAY_LISTENER_NONE, request->flags, nowMs()));
        }
        break;
    default:
        displayServerRequest(&loop.server, request, fd);
        break;
    }
}

/* One packet. The parent is trusted; a packet that makes no sense means that the two programs do not fit together. */
static void
receiveRequest(void)
{
    char data[sizeof(DisplayRequest)];
    DisplayRequest request;
    int fd = -1;
    ssize_t count = workerReceive(DISPLAY_WORKER_FD, data, sizeof(data), &fd);

    if (count == 0) {
        _exit(EXIT_SUCCESS);
    }
    if (count < 0 || !displayRequestParse(data, (size_t)count, &request)) {
        _exit(EXIT_FAILURE);
    }
    dispatch(&request, fd);
}

/* --- the stubdomain --------------------------------------------------------------- */

/* Masked by the kernel since it was raised, so a flood is one event until here. */
static void
receiveEvent(void)
{
    xenevtchn_port_or_error_t port = xenevtchn_pending(loop.xen->events);

    if (port < 0 || xenevtchn_unmask(loop.xen->events, (evtchn_port_t)port) != 0) {
        _exit(EXIT_FAILURE);
    }
    displayServerEvent(&loop.server, (evtchn_port_t)port);
}

/* --- connections ------------------------------------------------------------------- */

static void
handleConnection(const struct epoll_event *event, int64_t now)
{
    uint32_t place = (uint32_t)event->data.u64;

    switch ((Kind)(event->data.u64 >> 32)) {
    case KIND_LISTENER:
        watchGuest(displayLobbyAccept(&loop.lobby, place, now));
        break;
    case KIND_GUEST:
        loop.lobby.guests[place].readable = true;
        break;
    case KIND_VIEWER:
    default:
        if (loop.server.viewers[place]) {
            loop.server.viewers[place]->readable = true;
        }
        break;
    }
}

static void
receiveConnections(int64_t now)
{
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(loop.connections, events, EVENTS_MAX, 0);

    for (int i = 0; i < count; i++) {
        handleConnection(&events[i], now);
    }
}

/* When too many came in this second, listeners are left alone until the next. Returns when that is, or -1. */
static int
regulate(int64_t now)
{
    int wait;
    bool open = displayLobbyOpen(&loop.lobby, now, &wait);

    if (open == loop.shut) {
        loop.shut = !open;
        for (int i = 0; i < (int)DISPLAY_LISTENERS_MAX; i++) {
            struct epoll_event event = {.events = open ? EPOLLIN : 0, .data = {.u64 = (uint32_t)i}};

            if (loop.lobby.listeners[i].fd >= 0) {
                (void)epoll_ctl(loop.connections, EPOLL_CTL_MOD, loop.lobby.listeners[i].fd, &event);
            }
        }
    }
    return open ? -1 : wait;
}

/* --- the loop ------------------------------------------------------------------------ */

static void
sooner(int *wait, int other)
{
    if (other >= 0 && (*wait < 0 || other < *wait)) {
        *wait = other;
    }
}

/* Everything that is due; returns how long nothing will be. */
static int
work(int64_t now, bool exhausted)
{
    int wait = displayLobbyRun(&loop.lobby, now, spoken, NULL);

    sooner(&wait, displayServerRun(&loop.server, now));
    sooner(&wait, regulate(now));
    if (exhausted) {
        sooner(&wait, (int)(loop.start + WORK_PERIOD_MS - now));
    } else if (displayServerMore(&loop.server)) {
        loop.spent++;
        wait = 0;
    }
    return wait;
}

/*
 * One turn: poll, then act. Events first, because reading one after its port
 * was unbound could wait; requests last, because they change what the other
 * sources mean.
 */
static void
runOnce(void)
{
    int64_t now = nowMs();
    struct pollfd sources[POLL_SOURCES];
    bool exhausted;
    int wait;

    if (now - loop.start >= WORK_PERIOD_MS) {
        loop.start = now;
        loop.spent = 0;
    }
    exhausted = loop.spent >= WORK_MAX;
    wait = work(now, exhausted);
    sources[POLL_SOCKET] = (struct pollfd){.fd = DISPLAY_WORKER_FD, .events = POLLIN};
    sources[POLL_EVENTS] = (struct pollfd){.fd = exhausted ? -1 : xenevtchn_fd(loop.xen->events), .events = POLLIN};
    sources[POLL_CONNECTIONS] = (struct pollfd){.fd = loop.connections, .events = POLLIN};
    if (poll(sources, POLL_SOURCES, wait) < 0) {
        if (errno == EINTR) {
            return;
        }
        _exit(EXIT_FAILURE);
    }
    if (sources[POLL_EVENTS].revents) {
        receiveEvent();
        loop.spent++;
    }
    if (sources[POLL_CONNECTIONS].revents) {
        receiveConnections(nowMs()); /* poll() may have taken a day */
    }
    if (sources[POLL_SOCKET].revents) {
        receiveRequest();
    }
}

bool
displayLoopInit(DisplayXen *xen, const char *name, uint64_t limit)
{
    xen->reply = sendToParent;
    loop.xen = xen;
    displayLobbyInit(&loop.lobby);
    loop.connections = epoll_create1(EPOLL_CLOEXEC);
    return loop.connections >= 0 && displayServerInit(&loop.server, xen, name, limit);
}

_Noreturn void
displayLoopRun(void)
{
    for (;;) {
        runOnce();
    }
}
