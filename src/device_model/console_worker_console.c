/*
 * One console in the console worker
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Bytes are copied out of the shared page once, before anything is done with
 * them. The peer's descriptor is non-blocking (or a regular file).
 */

#include "console_worker_console.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* Rings a console may empty before the others get their turn. */
#define PUMP_ROUNDS 8

static void
sendReply(const WorkerConsole *console, ConsoleReplyType type, uint32_t generation, int error)
{
    ConsoleReply reply = {
        .type = type,
        .console = console->number,
        .generation = generation,
        .error = error,
        .fromStubdomain = console->fromStubdomain,
        .toStubdomain = console->toStubdomain,
    };

    console->xen->reply(&reply);
}

static void
dropPeer(WorkerConsole *console)
{
    if (console->peer >= 0) {
        close(console->peer);
    }
    console->peer = -1;
    console->peerFlags = 0;
    console->blocked = false;
    free(console->backlog);
    console->backlog = NULL;
}

static void
losePeer(WorkerConsole *console, int error)
{
    if (!console->peerError) {
        console->peerError = error;
    }
    dropPeer(console);
    sendReply(console, CONSOLE_REPLY_PEER_CLOSED, console->peerGeneration, error);
}

static void
notifyFrontend(WorkerConsole *console)
{
    /* Fails only if the stubdomain is gone, which is noticed elsewhere. */
    (void)xenevtchn_notify(console->xen->events, console->port);
}

static void
unmapFrontend(WorkerConsole *console)
{
    if (!console->ring.page) {
        return;
    }
    (void)xenevtchn_unbind(console->xen->events, console->port);
    (void)xengnttab_unmap(console->xen->grants, console->ring.page, 1);
    console->ring.page = NULL;
    console->blocked = false;
    console->more = false;
    if (console->draining) {
        console->draining = false;
        sendReply(console, CONSOLE_REPLY_DRAINED, console->drainGeneration, console->peerError);
    }
}

static void
breakConsole(WorkerConsole *console)
{
    unmapFrontend(console);
    sendReply(console, CONSOLE_REPLY_BROKEN, console->connection, 0);
}

/* write() that cannot be interrupted; 0 if the peer is full, or lost. */
static size_t
writePeer(WorkerConsole *console, const char *data, size_t length)
{
    ssize_t count;

    do {
        count = write(console->peer, data, length);
    } while (count < 0 && errno == EINTR);
    if (count > 0) {
        return (size_t)count;
    }
    if (count == 0 || errno != EAGAIN) {
        losePeer(console, count == 0 ? EIO : errno);
    }
    return 0;
}

static void
flushBacklog(WorkerConsole *console)
{
    while (console->backlog) {
        size_t length;
        const char *data = consoleBacklogPeek(console->backlog, &length);
        size_t count = length ? writePeer(console, data, length) : 0;

        if (!count) {
            return;
        }
        consoleBacklogConsume(console->backlog, count);
    }
}

/* Hands bytes of the stubdomain on. Returns how many need not stay in the ring. */
static size_t
deliver(WorkerConsole *console, const char *data, size_t length)
{
    size_t count;

    if (console->limit && length > console->limit - console->fromStubdomain) {
        if (console->fromStubdomain == console->limit) {
            if (!console->limitReported) {
                console->limitReported = true;
                sendReply(console, CONSOLE_REPLY_LIMIT, console->peerGeneration, 0);
            }
            return length;
        }
        length = console->limit - console->fromStubdomain;
    }
    if (console->backlog) {
        consoleBacklogAdd(console->backlog, data, length);
        flushBacklog(console);
        count = length;
    } else if (console->peerFlags & CONSOLE_PEER_WRITE) {
        count = writePeer(console, data, length);
        if (!count && console->peer < 0) {
            return length;
        }
    } else {
        count = length;
    }
    console->fromStubdomain += count;
    return count;
}

static void
finishDrain(WorkerConsole *console)
{
    if (console->draining && (int32_t)(console->ring.outCons - console->drainTarget) >= 0) {
        console->draining = false;
        sendReply(console, CONSOLE_REPLY_DRAINED, console->drainGeneration, console->peerError);
    }
}

void
workerConsolePump(WorkerConsole *console)
{
    char data[CONSOLE_RING_OUT_SIZE];
    bool consumed = false;
    int round;

    console->blocked = false;
    for (round = 0; console->ring.page && round < PUMP_ROUNDS; round++) {
        size_t length;
        size_t count;

        if (consoleRingPeek(&console->ring, data, sizeof(data), &length) != CONSOLE_RING_OK) {
            breakConsole(console);
            return;
        }
        if (!length) {
            break;
        }
        count = deliver(console, data, length);
        if (!count) {
            console->blocked = true;
            break;
        }
        consoleRingConsume(&console->ring, count);
        consumed = true;
    }
    console->more = round == PUMP_ROUNDS;
    if (consumed) {
        notifyFrontend(console);
        finishDrain(console);
    }
}

short
workerConsoleInterest(WorkerConsole *console)
{
    short events = 0;
    size_t space;

    if (console->peer < 0) {
        return 0;
    }
    if (console->blocked || (console->backlog && console->backlog->length)) {
        events |= POLLOUT;
    }
    if (console->ring.page && (console->peerFlags & CONSOLE_PEER_READ)) {
        if (consoleRingSpace(&console->ring, &space) != CONSOLE_RING_OK) {
            breakConsole(console);
        } else if (space) {
            events |= POLLIN;
        }
    }
    return events;
}

static void
readPeer(WorkerConsole *console)
{
    char data[CONSOLE_RING_IN_SIZE];
    size_t space;
    ssize_t count;

    if (consoleRingSpace(&console->ring, &space) != CONSOLE_RING_OK) {
        breakConsole(console);
        return;
    }
    if (!space) {
        return;
    }
    do {
        count = read(console->peer, data, space);
    } while (count < 0 && errno == EINTR);
    if (count > 0) {
        consoleRingPush(&console->ring, data, (size_t)count);
        console->toStubdomain += (uint64_t)count;
        notifyFrontend(console);
    } else if (count == 0 || errno != EAGAIN) {
        losePeer(console, count == 0 ? 0 : errno);
    }
}

void
workerConsoleReady(WorkerConsole *console, short events)
{
    if (console->ring.page && (console->peerFlags & CONSOLE_PEER_READ) && (events & (POLLIN | POLLHUP | POLLERR))) {
        readPeer(console);
    }
    if (console->peer >= 0 && (events & (POLLOUT | POLLHUP | POLLERR))) {
        flushBacklog(console);
        workerConsolePump(console);
    }
}

static void
connectFrontend(WorkerConsole *console, const ConsoleRequest *request)
{
    struct xencons_interface *page;
    xenevtchn_port_or_error_t port;

    unmapFrontend(console);
    console->connection = request->generation;
    page =
        xengnttab_map_grant_ref(console->xen->grants, console->xen->stubdomain, request->ref, PROT_READ | PROT_WRITE);
    if (!page) {
        sendReply(console, CONSOLE_REPLY_CONNECTED, request->generation, errno ? errno : EIO);
        return;
    }
    port = xenevtchn_bind_interdomain(console->xen->events, console->xen->stubdomain, request->port);
    if (port < 0) {
        int error = errno ? errno : EIO;

        (void)xengnttab_unmap(console->xen->grants, page, 1);
        sendReply(console, CONSOLE_REPLY_CONNECTED, request->generation, error);
        return;
    }
    consoleRingInit(&console->ring, page);
    console->port = (evtchn_port_t)port;
    sendReply(console, CONSOLE_REPLY_CONNECTED, request->generation, 0);
    workerConsolePump(console);
}

static void
setPeer(WorkerConsole *console, const ConsoleRequest *request, int fd)
{
    dropPeer(console);
    console->peerGeneration = request->generation;
    console->peerError = 0;
    console->limit = request->limit;
    console->limitReported = false;
    console->fromStubdomain = 0;
    console->toStubdomain = 0;
    console->peer = fd;
    if (fd >= 0) {
        console->peerFlags = request->flags;
        if (request->flags & CONSOLE_PEER_LOSSY) {
            console->backlog = calloc(1, sizeof(*console->backlog));
            if (!console->backlog) {
                losePeer(console, ENOMEM);
            }
        }
    }
    workerConsolePump(console);
}

static void
startDrain(WorkerConsole *console, uint32_t generation)
{
    char data[CONSOLE_RING_OUT_SIZE];
    size_t length = 0;

    if (console->draining) {
        sendReply(console, CONSOLE_REPLY_DRAINED, console->drainGeneration, ECANCELED);
    }
    if (console->ring.page && consoleRingPeek(&console->ring, data, sizeof(data), &length) != CONSOLE_RING_OK) {
        breakConsole(console);
    }
    console->draining = true;
    console->drainGeneration = generation;
    console->drainTarget = console->ring.outCons + (XENCONS_RING_IDX)length;
    workerConsolePump(console);
    if (console->draining && !console->ring.page) {
        console->draining = false;
        sendReply(console, CONSOLE_REPLY_DRAINED, generation, console->peerError);
    }
    finishDrain(console);
}

void
workerConsoleRequest(WorkerConsole *console, const ConsoleRequest *request, int fd)
{
    if (fd >= 0 && request->type != CONSOLE_REQUEST_PEER) {
        close(fd);
    }
    switch ((ConsoleRequestType)request->type) {
    case CONSOLE_REQUEST_CONNECT:
        connectFrontend(console, request);
        break;
    case CONSOLE_REQUEST_DISCONNECT:
        workerConsolePump(console);
        unmapFrontend(console);
        sendReply(console, CONSOLE_REPLY_DISCONNECTED, request->generation, 0);
        break;
    case CONSOLE_REQUEST_PEER:
        setPeer(console, request, fd);
        break;
    case CONSOLE_REQUEST_DRAIN:
        startDrain(console, request->generation);
        break;
    case CONSOLE_REQUEST_LAST:
    default:
        break;
    }
}

void
workerConsoleInit(WorkerConsole *console, const WorkerXen *xen, uint32_t number)
{
    *console = (WorkerConsole){.xen = xen, .number = number, .peer = -1};
}
