/*
 * The backend of the PV framebuffer
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The shared page and the page directory are the frontend's to change at any
 * time. Numbers are copied out of them once; page numbers are Xen's to refuse.
 */

#include "display_framebuffer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Events taken in one turn. */
#define PUMP_MAX XENFB_OUT_RING_LEN

void
displayFramebufferInit(DisplayFramebuffer *framebuffer, const DisplayXen *xen, uint64_t limit)
{
    memset(framebuffer, 0, sizeof(*framebuffer));
    framebuffer->xen = xen;
    framebuffer->limit = limit;
}

static void *
mapPages(const DisplayFramebuffer *framebuffer, int protection, size_t count, const xen_pfn_t *frames)
{
    void *memory =
        xenforeignmemory_map(framebuffer->xen->memory, framebuffer->xen->stubdomain, protection, count, frames, NULL);

    if (!memory && errno == 0) {
        errno = EINVAL;
    }
    return memory;
}

static void
unmapPages(const DisplayFramebuffer *framebuffer, void *memory, size_t count)
{
    if (memory) {
        (void)xenforeignmemory_unmap(framebuffer->xen->memory, memory, count);
    }
}

/* Copies @count page numbers of @entry bytes from memory of the frontend. */
static void
copyFrames(xen_pfn_t *frames, const uint8_t *from, size_t entry, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (entry == sizeof(uint32_t)) {
            frames[i] = __atomic_load_n((const uint32_t *)(const void *)from + i, __ATOMIC_RELAXED);
        } else {
            frames[i] = (xen_pfn_t)__atomic_load_n((const uint64_t *)(const void *)from + i, __ATOMIC_RELAXED);
        }
    }
}

/* The directory in the shared page; with 32 bits it begins where that structure has it. */
static const uint8_t *
directoryOf(const struct xenfb_page *page, size_t entry)
{
    const uint8_t *start = (const uint8_t *)page->pd;

    return entry == sizeof(uint32_t) ? start - sizeof(uint32_t) : start;
}

static int
mapPixels(DisplayFramebuffer *framebuffer, uint32_t length, size_t entry)
{
    size_t pages = displayPages(length);
    size_t directories = displayDirectories(length, entry);
    xen_pfn_t tops[DISPLAY_DIRECTORIES_MAX];
    xen_pfn_t *frames;
    uint8_t *map;

    if (directories == 0) {
        return EFBIG;
    }
    copyFrames(tops, directoryOf(framebuffer->ring.page, entry), entry, directories);
    map = mapPages(framebuffer, PROT_READ, directories, tops);
    if (!map) {
        return errno;
    }
    frames = calloc(pages, sizeof(*frames));
    if (frames) {
        copyFrames(frames, map, entry, pages);
    }
    unmapPages(framebuffer, map, directories);
    if (!frames) {
        return ENOMEM;
    }
    framebuffer->pixels = mapPages(framebuffer, PROT_READ, pages, frames);
    free(frames);
    if (!framebuffer->pixels) {
        return errno;
    }
    framebuffer->length = length;
    return 0;
}

/* Reads each of the page's numbers once. */
static int
readPage(DisplayFramebuffer *framebuffer, size_t entry)
{
    struct xenfb_page copy;
    DisplayGeometry geometry;

    memcpy(&copy, framebuffer->ring.page, offsetof(struct xenfb_page, pd));
    geometry = (DisplayGeometry){
        .width = (uint32_t)copy.width,
        .height = (uint32_t)copy.height,
        .stride = copy.line_length,
        .depth = copy.depth,
    };
    if (!displayLengthCheck(copy.mem_length, framebuffer->limit)) {
        return EFBIG;
    }
    if (!displayGeometryCheck(&geometry, copy.mem_length)) {
        return EINVAL;
    }
    framebuffer->geometry = geometry;
    return mapPixels(framebuffer, copy.mem_length, entry);
}

/* What the frontend said of its picture to a display that is dead. */
static void
restoreGeometry(DisplayFramebuffer *framebuffer, const DisplayGeometry *geometry)
{
    if (displayGeometryCheck(geometry, framebuffer->length)) {
        framebuffer->geometry = *geometry;
    }
}

int
displayFramebufferConnect(DisplayFramebuffer *framebuffer, const DisplayRequest *request)
{
    size_t entry = request->flags & DISPLAY_FLAG_ABI32 ? sizeof(uint32_t) : sizeof(uint64_t);
    xen_pfn_t frame = (xen_pfn_t)request->frame;
    struct xenfb_page *page;
    int error;
    int port;

    displayFramebufferDisconnect(framebuffer);
    page = mapPages(framebuffer, PROT_READ | PROT_WRITE, 1, &frame);
    if (!page) {
        return errno;
    }
    displayFbRingInit(&framebuffer->ring, page);
    framebuffer->connection = request->generation;
    error = readPage(framebuffer, entry);
    port =
        error ? -1 : xenevtchn_bind_interdomain(framebuffer->xen->events, framebuffer->xen->stubdomain, request->port);
    if (port < 0) {
        error = error ? error : errno;
        unmapPages(framebuffer, framebuffer->pixels, displayPages(framebuffer->length));
        unmapPages(framebuffer, page, 1);
        displayFramebufferInit(framebuffer, framebuffer->xen, framebuffer->limit);
        return error ? error : EINVAL;
    }
    restoreGeometry(framebuffer, &request->geometry);
    framebuffer->port = (evtchn_port_t)port;
    framebuffer->more = true;
    displayDirtyReset(&framebuffer->dirty, framebuffer->geometry.width, framebuffer->geometry.height);
    return 0;
}

void
displayFramebufferDisconnect(DisplayFramebuffer *framebuffer)
{
    if (!framebuffer->ring.page) {
        return;
    }
    (void)xenevtchn_unbind(framebuffer->xen->events, framebuffer->port);
    unmapPages(framebuffer, framebuffer->pixels, displayPages(framebuffer->length));
    unmapPages(framebuffer, framebuffer->ring.page, 1);
    displayFramebufferInit(framebuffer, framebuffer->xen, framebuffer->limit);
}

/* Another picture in the same memory; one that does not fit is not shown. */
static bool
resize(DisplayFramebuffer *framebuffer, const struct xenfb_resize *event)
{
    DisplayGeometry geometry = {
        .width = (uint32_t)event->width,
        .height = (uint32_t)event->height,
        .stride = (uint32_t)event->stride,
        .offset = (uint32_t)event->offset,
        .depth = (uint32_t)event->depth,
    };

    if (!displayGeometryCheck(&geometry, framebuffer->length)) {
        return false;
    }
    framebuffer->geometry = geometry;
    displayDirtyReset(&framebuffer->dirty, geometry.width, geometry.height);
    return true;
}

bool
displayFramebufferPump(DisplayFramebuffer *framebuffer, bool *resized)
{
    DisplayRingResult result = DISPLAY_RING_OK;
    union xenfb_out_event event;
    unsigned int taken = 0;

    *resized = false;
    for (; taken < PUMP_MAX; taken++) {
        result = displayFbRingTake(&framebuffer->ring, &event);
        if (result != DISPLAY_RING_OK) {
            break;
        }
        if (event.type == XENFB_TYPE_UPDATE) {
            displayDirtyAdd(&framebuffer->dirty, event.update.x, event.update.y, event.update.width,
                            event.update.height);
        } else if (event.type == XENFB_TYPE_RESIZE && resize(framebuffer, &event.resize)) {
            *resized = true;
        }
    }
    displayFbRingFinish(&framebuffer->ring);
    if (taken == PUMP_MAX) {
        (void)xenevtchn_notify(framebuffer->xen->events, framebuffer->port); /* it was full: somebody may wait */
    }
    framebuffer->more = result == DISPLAY_RING_OK;
    return result != DISPLAY_RING_BROKEN;
}

void
displayFramebufferCopy(DisplayFramebuffer *framebuffer, DisplayPicture *picture, DisplayPictureFunc func, void *opaque)
{
    const DisplayGeometry *geometry = &framebuffer->geometry;
    uint32_t first;
    uint32_t behind;

    for (uint32_t top = 0; framebuffer->dirty.count && top < geometry->height; top += DISPLAY_BAND) {
        uint32_t rows = geometry->height - top < DISPLAY_BAND ? geometry->height - top : DISPLAY_BAND;

        if (displayDirtyTake(&framebuffer->dirty, top / DISPLAY_BAND, &first, &behind)) {
            displayPictureCopy(picture, framebuffer->pixels, geometry, top, rows, first, behind, func, opaque);
        }
    }
}

void
displayFramebufferSetPeriod(DisplayFramebuffer *framebuffer, uint32_t period)
{
    union xenfb_in_event event;

    if (!framebuffer->ring.page) {
        return;
    }
    memset(&event, 0, sizeof(event));
    event.type = XENFB_TYPE_REFRESH_PERIOD;
    event.refresh_period.period = period;
    if (displayFbRingPush(&framebuffer->ring, &event) == DISPLAY_RING_OK) {
        (void)xenevtchn_notify(framebuffer->xen->events, framebuffer->port);
    }
}
