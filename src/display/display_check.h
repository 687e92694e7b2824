/*
 * The frontend's numbers, checked
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Whatever a stubdomain says of its framebuffer (xen/io/fbif.h) is checked
 * here before it becomes a size, an offset or a count. Pure functions over
 * copies; the shared pages are read elsewhere, each number once.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DISPLAY_PAGE_SIZE 4096U

/* Pixels of a side. RFB could do 65535; no graphics card QEMU emulates does more than this. */
#define DISPLAY_SIDE_MAX 8192U

/* Entries of the page directory in the shared page (struct xenfb_page). */
#define DISPLAY_DIRECTORIES_MAX 256U

/* A picture in the frontend's memory. Signed in the interface; a negative number is too large here. */
typedef struct {
    uint32_t width;  /* pixels */
    uint32_t height; /* pixels */
    uint32_t stride; /* bytes from one row to the next */
    uint32_t offset; /* bytes before the first row */
    uint32_t depth;  /* bits of a pixel, 8, 16, 24 or 32 */
} DisplayGeometry;

/** How long a framebuffer of @length bytes may be: not 0, and at most @limit. */
bool displayLengthCheck(uint32_t length, uint64_t limit);

/** Whether the picture lies inside @length bytes. */
bool displayGeometryCheck(const DisplayGeometry *geometry, uint32_t length);

/** Pages of @length bytes. */
size_t displayPages(uint32_t length);

/**
 * displayDirectories:
 * @length: bytes of the framebuffer
 * @entry: bytes of a page number, 4 or 8
 *
 * Returns: pages of the directory, or 0 if it has too few entries for them
 */
size_t displayDirectories(uint32_t length, size_t entry);
