/*
 * Which parts of the picture the frontend said it changed
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "display_dirty.h"

#include <string.h>

void
displayDirtyReset(DisplayDirty *dirty, uint32_t width, uint32_t height)
{
    memset(dirty, 0, sizeof(*dirty));
    dirty->width = width;
    dirty->height = height;
    displayDirtyAddAll(dirty);
}

void
displayDirtyAddAll(DisplayDirty *dirty)
{
    displayDirtyAdd(dirty, 0, 0, (int32_t)dirty->width, (int32_t)dirty->height);
}

/* From @start, @length long, cut to 0…@limit. False if nothing is left. */
static bool
clip(int64_t start, int64_t length, uint32_t limit, uint32_t *first, uint32_t *behind)
{
    int64_t end = start + length;

    if (start < 0) {
        start = 0;
    }
    if (end > limit) {
        end = limit;
    }
    *first = (uint32_t)start;
    *behind = (uint32_t)end;
    return start < end;
}

void
displayDirtyAdd(DisplayDirty *dirty, int32_t x, int32_t y, int32_t width, int32_t height)
{
    uint32_t left;
    uint32_t right;
    uint32_t top;
    uint32_t bottom;

    if (!clip(x, width, dirty->width, &left, &right) || !clip(y, height, dirty->height, &top, &bottom)) {
        return;
    }
    for (uint32_t band = top / DISPLAY_BAND; band <= (bottom - 1) / DISPLAY_BAND; band++) {
        if (dirty->behind[band] == 0) {
            dirty->count++;
            dirty->first[band] = (uint16_t)left;
            dirty->behind[band] = (uint16_t)right;
            continue;
        }
        if (left < dirty->first[band]) {
            dirty->first[band] = (uint16_t)left;
        }
        if (right > dirty->behind[band]) {
            dirty->behind[band] = (uint16_t)right;
        }
    }
}

bool
displayDirtyTake(DisplayDirty *dirty, uint32_t band, uint32_t *first, uint32_t *behind)
{
    if (dirty->behind[band] == 0) {
        return false;
    }
    *first = dirty->first[band];
    *behind = dirty->behind[band];
    dirty->behind[band] = 0;
    dirty->count--;
    return true;
}
