/*
 * One console in the console worker
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Moves bytes between a ring of the stubdomain and dom0's end, the peer. What
 * the peer does not take at once stays in the ring, so the stubdomain waits and
 * no memory is needed; only a lossy peer has a backlog. Nothing here waits.
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <poll.h>
#include <xenevtchn.h>
#include <xengnttab.h>

#include "console_ring.h"
#include "console_worker_backlog.h"
#include "console_worker_message.h"

/* How the console talks to the rest of the worker. */
typedef struct {
    uint32_t stubdomain;
    xengnttab_handle *grants;
    xenevtchn_handle *events;
    void (*reply)(const ConsoleReply *reply);
} WorkerXen;

typedef struct {
    const WorkerXen *xen;
    ConsoleRing ring;        /* ring.page is NULL while there is no frontend */
    ConsoleBacklog *backlog; /* lossy peers only */
    uint64_t limit;
    uint64_t fromStubdomain;
    uint64_t toStubdomain;
    uint32_t number;
    uint32_t connection; /* generation of CONNECT */
    evtchn_port_t port;  /* dom0's end of the event channel, if there is a page */
    int peer;            /* -1: none */
    uint32_t peerFlags;
    uint32_t peerGeneration;
    int peerError; /* first error since the last PEER */
    uint32_t drainGeneration;
    XENCONS_RING_IDX drainTarget; /* value of ring.outCons at which DRAIN is answered */
    bool limitReported;
    bool blocked; /* the peer took less than the ring holds */
    bool more;    /* the ring was not emptied in one turn */
    bool draining;
} WorkerConsole;

/** Prepares a console without frontend and peer. */
void workerConsoleInit(WorkerConsole *console, const WorkerXen *xen, uint32_t number);

/** Does what @request asks; @fd is what came with it or -1, and becomes the console's. */
void workerConsoleRequest(WorkerConsole *console, const ConsoleRequest *request, int fd);

/** Takes from the ring what the peer takes, at most a few rings full; @more is set when there may be more. */
void workerConsolePump(WorkerConsole *console);

/** What to poll the peer for; 0: leave it alone. */
short workerConsoleInterest(WorkerConsole *console);

/** Acts on what poll() said of the peer. */
void workerConsoleReady(WorkerConsole *console, short events);
