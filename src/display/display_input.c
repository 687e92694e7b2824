/*
 * The backend of the PV keyboard and pointer
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Coordinates as QEMU's backend gives them: pixels of the picture, 0 to 32767
 * if the frontend asked for raw ones, differences if it did not ask for
 * absolute ones.
 */

#include "display_input.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "display_check.h"

/* The largest raw coordinate (kbdif.h). */
#define RAW_MAX 0x7fff

void
displayInputInit(DisplayInput *input, const DisplayXen *xen)
{
    memset(input, 0, sizeof(*input));
    input->xen = xen;
}

static struct xenkbd_page *
mapPage(DisplayInput *input, const DisplayRequest *request, int fd)
{
    xen_pfn_t frame = (xen_pfn_t)request->frame;
    void *page;

    input->granted = fd >= 0;
    if (!input->granted) {
        return xenforeignmemory_map(input->xen->memory, input->xen->stubdomain, PROT_READ | PROT_WRITE, 1, &frame,
                                    NULL);
    }
    page = mmap(NULL, DISPLAY_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)request->frame);
    return page == MAP_FAILED ? NULL : page;
}

static void
unmapPage(const DisplayInput *input, struct xenkbd_page *page)
{
    if (input->granted) {
        (void)munmap(page, DISPLAY_PAGE_SIZE);
    } else {
        (void)xenforeignmemory_unmap(input->xen->memory, page, 1);
    }
}

int
displayInputConnect(DisplayInput *input, const DisplayRequest *request, int fd)
{
    struct xenkbd_page *page;
    int port;

    displayInputDisconnect(input);
    page = mapPage(input, request, fd);
    if (!page) {
        return errno ? errno : EINVAL;
    }
    port = xenevtchn_bind_interdomain(input->xen->events, input->xen->stubdomain, request->port);
    if (port < 0) {
        int error = errno ? errno : EINVAL;

        unmapPage(input, page);
        return error;
    }
    displayKbdRingInit(&input->ring, page);
    input->port = (evtchn_port_t)port;
    input->connection = request->generation;
    input->flags = request->flags;
    return 0;
}

void
displayInputDisconnect(DisplayInput *input)
{
    if (input->ring.page) {
        (void)xenevtchn_unbind(input->xen->events, input->port);
        unmapPage(input, input->ring.page);
        displayInputInit(input, input->xen);
    }
}

void
displayInputPump(DisplayInput *input)
{
    DisplayRingResult result = DISPLAY_RING_OK;
    bool given = false;

    while (input->count && result == DISPLAY_RING_OK) {
        result = displayKbdRingPush(&input->ring, &input->queue[input->start]);
        if (result == DISPLAY_RING_OK) {
            input->start = (input->start + 1) % DISPLAY_QUEUE_MAX;
            input->count--;
            given = true;
        }
    }
    if (given) {
        (void)xenevtchn_notify(input->xen->events, input->port);
    }
    input->broken = input->broken || result == DISPLAY_RING_BROKEN;
}

static void
give(DisplayInput *input, const union xenkbd_in_event *event)
{
    union xenkbd_in_event *last =
        &input->queue[(input->start + input->count + DISPLAY_QUEUE_MAX - 1) % DISPLAY_QUEUE_MAX];

    if (!input->ring.page) {
        return;
    }
    if (input->count && event->type == XENKBD_TYPE_POS && last->type == XENKBD_TYPE_POS) {
        int32_t wheel = last->pos.rel_z;

        *last = *event; /* where the pointer was in between is of no interest */
        last->pos.rel_z += wheel;
    } else if (input->count < DISPLAY_QUEUE_MAX) {
        input->queue[(input->start + input->count) % DISPLAY_QUEUE_MAX] = *event;
        input->count++;
    }
    displayInputPump(input);
}

void
displayInputKey(DisplayInput *input, uint32_t code, bool down)
{
    union xenkbd_in_event event;

    memset(&event, 0, sizeof(event));
    event.type = XENKBD_TYPE_KEY;
    event.key.pressed = down;
    event.key.keycode = code;
    give(input, &event);
}

static int32_t
scale(int value, uint32_t size)
{
    return size > 1 ? (int32_t)((int64_t)value * RAW_MAX / (size - 1)) : 0;
}

void
displayInputPoint(DisplayInput *input, int x, int y, int wheel, uint32_t width, uint32_t height)
{
    union xenkbd_in_event event;

    memset(&event, 0, sizeof(event));
    if (input->flags & DISPLAY_FLAG_ABSOLUTE) {
        bool raw = input->flags & DISPLAY_FLAG_RAW;

        event.type = XENKBD_TYPE_POS;
        event.pos.abs_x = raw ? scale(x, width) : x;
        event.pos.abs_y = raw ? scale(y, height) : y;
        event.pos.rel_z = wheel;
    } else {
        event.type = XENKBD_TYPE_MOTION;
        event.motion.rel_x = x - input->x;
        event.motion.rel_y = y - input->y;
        event.motion.rel_z = wheel;
    }
    input->x = x;
    input->y = y;
    give(input, &event);
}
