/*
 * Fuzz target: the shared page of a console, and the worker's messages
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The input is a list of steps of a hostile frontend (write anything anywhere
 * into the page) mixed with what xen-stubdom-dm may ask of the worker. The few
 * library functions that reach Xen are defined here. The page ends where its
 * allocation ends, so that a byte too far is seen.
 */

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "console_worker_console.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct xencons_interface *page;
static int mapped;

void *
xengnttab_map_grant_ref(xengnttab_handle *xgt, uint32_t domid, uint32_t ref, int prot)
{
    mapped++;
    return page;
}

int
xengnttab_unmap(xengnttab_handle *xgt, void *start, uint32_t count)
{
    mapped--;
    return 0;
}

xenevtchn_port_or_error_t
xenevtchn_bind_interdomain(xenevtchn_handle *xce, uint32_t domid, evtchn_port_t port)
{
    return port == UINT32_MAX ? -1 : 1;
}

int
xenevtchn_unbind(xenevtchn_handle *xce, evtchn_port_t port)
{
    return 0;
}

int
xenevtchn_notify(xenevtchn_handle *xce, evtchn_port_t port)
{
    return 0;
}

static void
checkReply(const ConsoleReply *reply)
{
    ConsoleReply parsed;

    if (!consoleReplyParse(reply, sizeof(*reply), &parsed)) {
        abort();
    }
}

/* What is left of the input. */
typedef struct {
    const uint8_t *data;
    size_t size;
} Input;

static size_t
take(Input *input, void *to, size_t size)
{
    if (size > input->size) {
        size = input->size;
    }
    memcpy(to, input->data, size);
    input->data += size;
    input->size -= size;
    return size;
}

/* Reads are endless zeros, writes go nowhere or fail. */
static int
openPeer(uint32_t flags)
{
    if (flags & CONSOLE_PEER_READ) {
        return open("/dev/zero", O_RDWR | O_CLOEXEC);
    }
    return open(flags & CONSOLE_PEER_LOSSY ? "/dev/full" : "/dev/null", O_WRONLY | O_CLOEXEC);
}

static void
stepRequest(WorkerConsole *console, Input *input)
{
    char packet[sizeof(ConsoleRequest) + 1];
    size_t length = take(input, packet, sizeof(packet) - (input->size & 1));
    ConsoleRequest request;

    if (consoleRequestParse(packet, length, &request)) {
        workerConsoleRequest(console, &request,
                             request.type == CONSOLE_REQUEST_PEER && (request.generation & 1) ? openPeer(request.flags) : -1);
    }
}

static void
stepPage(Input *input)
{
    uint16_t start = 0;

    take(input, &start, sizeof(start));
    start %= sizeof(*page);
    take(input, (char *) page + start, sizeof(*page) - start < 32 ? sizeof(*page) - start : 32);
}

/* An index of the frontend, near ours, where the edges are. */
static void
stepIndex(const WorkerConsole *console, Input *input)
{
    int16_t distance = 0;

    take(input, &distance, sizeof(distance));
    page->out_prod = console->ring.outCons + (uint32_t) distance;
    page->in_cons = console->ring.inProd - (uint32_t) (distance / 2);
}

static void
step(WorkerConsole *console, uint8_t kind, Input *input)
{
    ConsoleRequest request = {.console = 1, .type = CONSOLE_REQUEST_CONNECT};
    ConsoleReply reply;

    switch (kind % 7) {
    case 0:
        stepRequest(console, input);
        break;
    case 1:
        stepPage(input);
        break;
    case 2:
        stepIndex(console, input);
        break;
    case 3:
        workerConsolePump(console);
        break;
    case 4:
        workerConsoleReady(console, workerConsoleInterest(console));
        break;
    case 5:
        workerConsoleRequest(console, &request, -1);
        break;
    default:
        (void) consoleReplyParse(input->data, input->size < sizeof(reply) ? input->size : sizeof(reply), &reply);
        break;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const WorkerXen xen = {.stubdomain = 1, .reply = checkReply};
    ConsoleRequest end = {.type = CONSOLE_REQUEST_DISCONNECT, .console = 1};
    ConsoleRequest peer = {.type = CONSOLE_REQUEST_PEER, .console = 1};
    WorkerConsole console;
    Input input = {data, size};
    uint8_t kind = 0;

    page = calloc(1, sizeof(*page));
    mapped = 0;
    workerConsoleInit(&console, &xen, 1);
    while (take(&input, &kind, 1)) {
        step(&console, kind, &input);
        if (mapped != (console.ring.page ? 1 : 0)) {
            abort();
        }
    }
    workerConsoleRequest(&console, &peer, -1);
    workerConsoleRequest(&console, &end, -1);
    if (mapped) {
        abort();
    }
    free(page);
    return 0;
}
