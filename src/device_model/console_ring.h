/*
 * The shared page of a PV console, seen from the backend
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Arithmetic over struct xencons_interface (xen/io/console.h), no I/O. The
 * frontend can write the whole page at any time. So each index of the frontend
 * is loaded once and checked before it is used, and the two indices the
 * backend owns are kept in a copy that the frontend cannot reach; the page is
 * only told about them. A page that makes no sense is an outcome, not an
 * accident: the caller closes the console.
 */

#pragma once

#include <stddef.h>
#include <stdint.h>

#include <xen/io/console.h>

/* Capacity of the two rings, in bytes. */
#define CONSOLE_RING_OUT_SIZE (sizeof(((struct xencons_interface *)0)->out))
#define CONSOLE_RING_IN_SIZE (sizeof(((struct xencons_interface *)0)->in))

typedef enum {
    CONSOLE_RING_OK = 0,
    CONSOLE_RING_BROKEN, /* the frontend's index is further away than the ring is long */
} ConsoleRingResult;

typedef struct {
    struct xencons_interface *page; /* shared with the frontend */
    XENCONS_RING_IDX outCons;       /* what has been taken from the stubdomain */
    XENCONS_RING_IDX inProd;        /* what has been given to it */
} ConsoleRing;

/**
 * consoleRingInit:
 * @page: (transfer none): the mapped page
 *
 * Starts from the backend's indices in the page, so that a backend can follow
 * another one on the same page.
 */
void consoleRingInit(ConsoleRing *ring, struct xencons_interface *page);

/**
 * consoleRingPeek:
 * @data: room for what the stubdomain wrote
 * @size: bytes of @data
 * @length: (out): bytes copied, oldest first
 *
 * Copies bytes from the stubdomain and leaves them in the ring.
 */
ConsoleRingResult consoleRingPeek(ConsoleRing *ring, char *data, size_t size, size_t *length);

/**
 * consoleRingConsume:
 * @length: bytes that were peeked and are done with
 *
 * Gives room back to the stubdomain. The caller notifies it.
 */
void consoleRingConsume(ConsoleRing *ring, size_t length);

/**
 * consoleRingSpace:
 * @length: (out): how many bytes the stubdomain has room for
 */
ConsoleRingResult consoleRingSpace(ConsoleRing *ring, size_t *length);

/**
 * consoleRingPush:
 * @data: bytes for the stubdomain
 * @length: at most what consoleRingSpace() said last
 *
 * Gives bytes to the stubdomain. The caller notifies it.
 */
void consoleRingPush(ConsoleRing *ring, const char *data, size_t length);
