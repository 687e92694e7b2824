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

#include "device_model/display_message.h"

#define DISPLAY_PAGE_SIZE 4096U

/* Pixels of a side. RFB could do 65535; no graphics card QEMU emulates does more than this. */
#define DISPLAY_SIDE_MAX 8192U

/* Entries of the page directory in the shared page (struct xenfb_page). */
#define DISPLAY_DIRECTORIES_MAX 256U

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
