/*
 * The rings of framebuffer and keyboard, seen from the backend
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Arithmetic over struct xenfb_page and struct xenkbd_page (xen/io/fbif.h,
 * kbdif.h), no I/O. The frontend can write the whole page at any time: each of
 * its indices is loaded once and checked, each event is copied once before
 * anything is done with it, and the backend's own indices are kept where the
 * frontend cannot reach them.
 */

#pragma once

#include <stdint.h>

#include <xen/io/fbif.h>
#include <xen/io/kbdif.h>

typedef enum {
    DISPLAY_RING_OK = 0,
    DISPLAY_RING_NONE,   /* nothing to take, or no room */
    DISPLAY_RING_BROKEN, /* the frontend's index is further away than the ring is long */
} DisplayRingResult;

typedef struct {
    struct xenfb_page *page; /* shared with the frontend; NULL: not connected */
    uint32_t outCons;
    uint32_t inProd;
} DisplayFbRing;

typedef struct {
    struct xenkbd_page *page; /* shared with the frontend; NULL: not connected */
    uint32_t inProd;
} DisplayKbdRing;

/** Starts from the backend's indices in the page, so that a backend can follow another one on the same page. */
void displayFbRingInit(DisplayFbRing *ring, struct xenfb_page *page);

/** Takes one event of the frontend. */
DisplayRingResult displayFbRingTake(DisplayFbRing *ring, union xenfb_out_event *event);

/** Gives the room of what was taken back to the frontend. */
void displayFbRingFinish(DisplayFbRing *ring);

/** Gives one event to the frontend. The caller notifies it. */
DisplayRingResult displayFbRingPush(DisplayFbRing *ring, const union xenfb_in_event *event);

/** As displayFbRingInit(). */
void displayKbdRingInit(DisplayKbdRing *ring, struct xenkbd_page *page);

/** Gives one event to the frontend. The caller notifies it. Events of the frontend are discarded: there are none. */
DisplayRingResult displayKbdRingPush(DisplayKbdRing *ring, const union xenkbd_in_event *event);
