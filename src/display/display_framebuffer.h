/*
 * The backend of the PV framebuffer
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Maps the shared page, through its page directory the framebuffer, and takes
 * the frontend's events: what changed, and another size (xen/io/fbif.h). It
 * knows pixels only as memory; who looks at them is display_vnc.h's affair.
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "display_check.h"
#include "display_dirty.h"
#include "display_picture.h"
#include "display_ring.h"
#include "display_xen.h"

typedef struct {
    const DisplayXen *xen;
    uint64_t limit;      /* bytes of framebuffer */
    DisplayFbRing ring;  /* ring.page is NULL while there is no frontend */
    evtchn_port_t port;  /* dom0's end of the event channel, if there is a page */
    uint32_t connection; /* generation of CONNECT */
    uint8_t *pixels;     /* the frontend's memory, read-only */
    uint32_t length;     /* bytes of it */
    DisplayGeometry geometry;
    DisplayDirty dirty;
    bool more; /* the ring was not emptied in one turn */
} DisplayFramebuffer;

void displayFramebufferInit(DisplayFramebuffer *framebuffer, const DisplayXen *xen, uint64_t limit);

/** 0, or an errno: EINVAL and EFBIG when the frontend's numbers make no sense or are too large. */
int displayFramebufferConnect(DisplayFramebuffer *framebuffer, const DisplayRequest *request);

void displayFramebufferDisconnect(DisplayFramebuffer *framebuffer);

/**
 * displayFramebufferPump:
 * @resized: (out): the picture has another size now
 *
 * Takes events, at most a ring full; @more is set when there may be more.
 *
 * Returns: false if the ring makes no sense
 */
bool displayFramebufferPump(DisplayFramebuffer *framebuffer, bool *resized);

/** Copies what is dirty into @picture, which has the framebuffer's size. */
void displayFramebufferCopy(DisplayFramebuffer *framebuffer, DisplayPicture *picture, DisplayPictureFunc func,
                            void *opaque);

/** Tells the frontend how often somebody looks, in milliseconds. Only MiniOS listens. */
void displayFramebufferSetPeriod(DisplayFramebuffer *framebuffer, uint32_t period);
