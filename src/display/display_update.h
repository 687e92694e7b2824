/*
 * Sending a viewer what changed
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * libvncserver would send a whole update at once and wait, with everybody else
 * waiting too, for a viewer that does not read. Here an update is cut into
 * slices, each so small that a socket with room takes it, and the next goes out
 * when there is room again: nothing waits and nothing is queued, whatever the
 * viewer does. The viewer still gets one update for one request.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rfb/rfb.h>
#include <rfb/rfbregion.h>

typedef struct {
    uint32_t width; /* of the picture as the viewer knows it */
    uint32_t height;
    sraRect *slices; /* NULL: no update is being sent */
    size_t count;
    size_t next;
    bool marked; /* ends with a mark, and has no number of rectangles said before */
} DisplayUpdate;

/** The viewer was told the size of the picture. */
void displayUpdateInit(DisplayUpdate *update, uint32_t width, uint32_t height);

void displayUpdateFree(DisplayUpdate *update);

static inline bool
displayUpdateRunning(const DisplayUpdate *update)
{
    return update->slices != NULL;
}

/** Whether the viewer waits for something that there is. */
bool displayUpdateWanted(const DisplayUpdate *update, rfbClientPtr client);

/**
 * displayUpdateSend:
 *
 * Sends at most one slice, beginning an update if there is one to be sent.
 * To be called when the socket has room. A client that cannot be sent to is
 * closed (its socket is -1 then).
 */
void displayUpdateSend(DisplayUpdate *update, rfbClientPtr client);
