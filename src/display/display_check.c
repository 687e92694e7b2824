/*
 * The frontend's numbers, checked
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * All arithmetic in 64 bits, on numbers of 32: nothing overflows.
 */

#include "display_check.h"

bool
displayLengthCheck(uint32_t length, uint64_t limit)
{
    return length > 0 && length <= limit;
}

bool
displayGeometryCheck(const DisplayGeometry *geometry, uint32_t length)
{
    uint64_t row;
    uint64_t end;

    if (geometry->depth != 8 && geometry->depth != 16 && geometry->depth != 24 && geometry->depth != 32) {
        return false;
    }
    if (geometry->width == 0 || geometry->width > DISPLAY_SIDE_MAX || geometry->height == 0 ||
        geometry->height > DISPLAY_SIDE_MAX) {
        return false;
    }
    row = (uint64_t)geometry->width * (geometry->depth / 8);
    end = geometry->offset + (uint64_t)(geometry->height - 1) * geometry->stride + row;
    return geometry->stride >= row && end <= length;
}

size_t
displayPages(uint32_t length)
{
    return (size_t)(((uint64_t)length + DISPLAY_PAGE_SIZE - 1) / DISPLAY_PAGE_SIZE);
}

size_t
displayDirectories(uint32_t length, size_t entry)
{
    size_t each = DISPLAY_PAGE_SIZE / entry;
    size_t count = (displayPages(length) + each - 1) / each;

    return count <= DISPLAY_DIRECTORIES_MAX ? count : 0;
}
