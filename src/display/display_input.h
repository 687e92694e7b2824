/*
 * The backend of the PV keyboard and pointer
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Turns what viewers press and point at into the frontend's events
 * (xen/io/kbdif.h). What the ring has no room for waits in a queue of fixed
 * size, so that no key stays pressed for good because its release was lost.
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "display_ring.h"
#include "display_xen.h"

#define DISPLAY_QUEUE_MAX 256U

typedef struct {
    const DisplayXen *xen;
    DisplayKbdRing ring; /* ring.page is NULL while there is no frontend */
    bool granted;        /* the page was granted, and is no foreign mapping */
    evtchn_port_t port;
    uint32_t connection; /* generation of CONNECT */
    uint32_t flags;      /* DISPLAY_FLAG_ABSOLUTE, DISPLAY_FLAG_RAW */
    bool broken;         /* the ring makes no sense */
    int32_t x;           /* where the pointer is, in pixels */
    int32_t y;
    uint32_t start; /* of the queue */
    uint32_t count; /* in the queue */
    union xenkbd_in_event queue[DISPLAY_QUEUE_MAX];
} DisplayInput;

void displayInputInit(DisplayInput *input, const DisplayXen *xen);

/**
 * displayInputConnect:
 * @fd: a grant of the page, to be mapped at the request's @frame; -1: @frame is a page number
 *
 * This process could map every page that somebody granted to dom0, if it were
 * let at the grant device. So xen-stubdom-dm has the grant, and this process
 * gets it ready to be mapped.
 *
 * Returns: 0 or an errno
 */
int displayInputConnect(DisplayInput *input, const DisplayRequest *request, int fd);

void displayInputDisconnect(DisplayInput *input);

/** The frontend took something: gives it what waits. Sets @broken. */
void displayInputPump(DisplayInput *input);

/** A key or button; @code is Linux's. */
void displayInputKey(DisplayInput *input, uint32_t code, bool down);

/** The pointer is at @x, @y of a picture of @width and @height pixels; @wheel: turned so far towards the user. */
void displayInputPoint(DisplayInput *input, int x, int y, int wheel, uint32_t width, uint32_t height);
