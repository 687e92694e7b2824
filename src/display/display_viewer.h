/*
 * One viewer
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A connection that has begun to speak RFB, and libvncserver's record of it.
 * What it says is looked at (display_rfb.h) before libvncserver reads it, and
 * what it is sent goes out in slices (display_update.h). Nothing here waits.
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <rfb/rfb.h>

#include "display_update.h"
#include "display_xen.h"

struct DisplayServer;

typedef struct {
    struct DisplayServer *server;
    rfbClientPtr client;
    uint32_t number;   /* no other viewer had it */
    uint32_t listener; /* where it came in */
    uint32_t flags;    /* DISPLAY_FLAG_WEBSOCKET, DISPLAY_FLAG_SKIP_AUTH */
    bool readable;     /* there may be something to read */
    bool held;         /* it has something to say that has to wait: for the end of the update, or for room */
    bool authenticated;
    bool initialized;
    uint64_t skip;                  /* bytes to be thrown away */
    int buttons;                    /* pressed, as RFB has them */
    uint8_t keys[DISPLAY_KEYS / 8]; /* pressed: a bit a code */
    DisplayUpdate update;
} DisplayViewer;

/**
 * displayViewerNew:
 * @fd: (transfer full): connected, non-blocking; what it said first is still in it
 * @hello: those first bytes: its RFB version, or its HTTP request
 * @length: how many
 *
 * Returns: NULL if libvncserver will not have it; it is closed then
 */
DisplayViewer *displayViewerNew(struct DisplayServer *server, int fd, const char *hello, size_t length, uint32_t flags);

/** Closes it, and releases the keys it held. */
void displayViewerFree(DisplayViewer *viewer);

static inline bool
displayViewerGone(const DisplayViewer *viewer)
{
    return viewer->client->sock == RFB_INVALID_SOCKET;
}

/** Whether displayViewerRead() has something to do. */
bool displayViewerReadable(DisplayViewer *viewer);

/** Takes what it says, a bounded number of messages. */
void displayViewerRead(DisplayViewer *viewer);

/** Whether its socket has room; if not, it will be said when it has. Closes a viewer that has gone in the middle of
 * something. */
bool displayViewerWritable(DisplayViewer *viewer);

/** A key, as Linux calls it. */
void displayViewerKey(DisplayViewer *viewer, uint32_t code, bool down);

/** As rfbScreenInfo's ptrAddEvent has it. */
void displayViewerPoint(DisplayViewer *viewer, int buttons, int x, int y);
