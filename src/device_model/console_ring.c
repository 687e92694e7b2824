/*
 * The shared page of a PV console, seen from the backend
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The barriers: data of the other side is read after its producer index
 * (acquire) and before our consumer index is published (release); data for the
 * other side is written after its consumer index was read and before our
 * producer index is published. Both sides send an event after publishing, so
 * nobody has to look twice.
 */

#include "console_ring.h"

#include <string.h>

void
consoleRingInit(ConsoleRing *ring, struct xencons_interface *page)
{
    ring->page = page;
    ring->outCons = __atomic_load_n(&page->out_cons, __ATOMIC_ACQUIRE);
    ring->inProd = __atomic_load_n(&page->in_prod, __ATOMIC_ACQUIRE);
}

ConsoleRingResult
consoleRingPeek(ConsoleRing *ring, char *data, size_t size, size_t *length)
{
    XENCONS_RING_IDX used = __atomic_load_n(&ring->page->out_prod, __ATOMIC_ACQUIRE) - ring->outCons;
    size_t start = MASK_XENCONS_IDX(ring->outCons, ring->page->out);
    size_t count;
    size_t first;

    *length = 0;
    if (used > CONSOLE_RING_OUT_SIZE) {
        return CONSOLE_RING_BROKEN;
    }
    count = used < size ? used : size;
    first = CONSOLE_RING_OUT_SIZE - start;
    if (first > count) {
        first = count;
    }
    memcpy(data, ring->page->out + start, first);
    memcpy(data + first, ring->page->out, count - first);
    *length = count;
    return CONSOLE_RING_OK;
}

void
consoleRingConsume(ConsoleRing *ring, size_t length)
{
    ring->outCons += (XENCONS_RING_IDX)length;
    __atomic_store_n(&ring->page->out_cons, ring->outCons, __ATOMIC_RELEASE);
}

ConsoleRingResult
consoleRingSpace(ConsoleRing *ring, size_t *length)
{
    XENCONS_RING_IDX used = ring->inProd - __atomic_load_n(&ring->page->in_cons, __ATOMIC_ACQUIRE);

    *length = 0;
    if (used > CONSOLE_RING_IN_SIZE) {
        return CONSOLE_RING_BROKEN;
    }
    *length = CONSOLE_RING_IN_SIZE - used;
    return CONSOLE_RING_OK;
}

void
consoleRingPush(ConsoleRing *ring, const char *data, size_t length)
{
    size_t start = MASK_XENCONS_IDX(ring->inProd, ring->page->in);
    size_t first = CONSOLE_RING_IN_SIZE - start;

    if (length > CONSOLE_RING_IN_SIZE) {
        length = CONSOLE_RING_IN_SIZE;
    }
    if (first > length) {
        first = length;
    }
    memcpy(ring->page->in + start, data, first);
    memcpy(ring->page->in, data + first, length - first);
    ring->inProd += (XENCONS_RING_IDX)length;
    __atomic_store_n(&ring->page->in_prod, ring->inProd, __ATOMIC_RELEASE);
}
