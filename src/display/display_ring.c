/*
 * The rings of framebuffer and keyboard, seen from the backend
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "display_ring.h"

#include <string.h>

static uint32_t
loadIndex(const uint32_t *index)
{
    return __atomic_load_n(index, __ATOMIC_ACQUIRE);
}

static void
storeIndex(uint32_t *index, uint32_t value)
{
    __atomic_store_n(index, value, __ATOMIC_RELEASE);
}

void
displayFbRingInit(DisplayFbRing *ring, struct xenfb_page *page)
{
    ring->page = page;
    ring->outCons = loadIndex(&page->out_cons);
    ring->inProd = loadIndex(&page->in_prod);
}

DisplayRingResult
displayFbRingTake(DisplayFbRing *ring, union xenfb_out_event *event)
{
    uint32_t held = loadIndex(&ring->page->out_prod) - ring->outCons;

    if (held > XENFB_OUT_RING_LEN) {
        return DISPLAY_RING_BROKEN;
    }
    if (held == 0) {
        return DISPLAY_RING_NONE;
    }
    memcpy(event, &XENFB_OUT_RING_REF(ring->page, ring->outCons), sizeof(*event));
    ring->outCons++;
    return DISPLAY_RING_OK;
}

void
displayFbRingFinish(DisplayFbRing *ring)
{
    storeIndex(&ring->page->out_cons, ring->outCons);
}

DisplayRingResult
displayFbRingPush(DisplayFbRing *ring, const union xenfb_in_event *event)
{
    uint32_t held = ring->inProd - loadIndex(&ring->page->in_cons);

    if (held > XENFB_IN_RING_LEN) {
        return DISPLAY_RING_BROKEN;
    }
    if (held == XENFB_IN_RING_LEN) {
        return DISPLAY_RING_NONE;
    }
    memcpy(&XENFB_IN_RING_REF(ring->page, ring->inProd), event, sizeof(*event));
    ring->inProd++;
    storeIndex(&ring->page->in_prod, ring->inProd);
    return DISPLAY_RING_OK;
}

void
displayKbdRingInit(DisplayKbdRing *ring, struct xenkbd_page *page)
{
    ring->page = page;
    ring->inProd = loadIndex(&page->in_prod);
}

DisplayRingResult
displayKbdRingPush(DisplayKbdRing *ring, const union xenkbd_in_event *event)
{
    uint32_t held = ring->inProd - loadIndex(&ring->page->in_cons);

    storeIndex(&ring->page->out_cons, loadIndex(&ring->page->out_prod));
    if (held > XENKBD_IN_RING_LEN) {
        return DISPLAY_RING_BROKEN;
    }
    if (held == XENKBD_IN_RING_LEN) {
        return DISPLAY_RING_NONE;
    }
    memcpy(&XENKBD_IN_RING_REF(ring->page, ring->inProd), event, sizeof(*event));
    ring->inProd++;
    storeIndex(&ring->page->in_prod, ring->inProd);
    return DISPLAY_RING_OK;
}
