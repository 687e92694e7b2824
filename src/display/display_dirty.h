/*
 * Which parts of the picture the frontend said it changed
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * For each band of 16 rows the columns from the first to the last that
 * changed: of fixed size whatever the frontend says, and as exact as it needs
 * to be, because what did not really change is found out when it is copied
 * (display_picture.h). No I/O.
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "display_check.h"

#define DISPLAY_BAND 16U /* rows */
#define DISPLAY_BANDS_MAX (DISPLAY_SIDE_MAX / DISPLAY_BAND)

typedef struct {
    uint32_t width; /* of the picture; at most DISPLAY_SIDE_MAX */
    uint32_t height;
    uint32_t count;                     /* bands that have something */
    uint16_t first[DISPLAY_BANDS_MAX];  /* column */
    uint16_t behind[DISPLAY_BANDS_MAX]; /* column after the last one; 0: nothing of the band changed */
} DisplayDirty;

/** A picture of that size, all of it changed. */
void displayDirtyReset(DisplayDirty *dirty, uint32_t width, uint32_t height);

/** Adds a rectangle as the frontend says it; what lies outside is left out. */
void displayDirtyAdd(DisplayDirty *dirty, int32_t x, int32_t y, int32_t width, int32_t height);

void displayDirtyAddAll(DisplayDirty *dirty);

/** Takes band @band; false if nothing of it changed. */
bool displayDirtyTake(DisplayDirty *dirty, uint32_t band, uint32_t *first, uint32_t *behind);
