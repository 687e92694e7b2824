/*
 * The picture viewers see
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Depths are those QEMU's backend knows: 32 and 24 bits are red, green and blue
 * of 8 bits each (24: three bytes a pixel), 16 are 5-6-5, 8 are 3-3-2.
 */

#include "display_picture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Bytes of a picture written at a time. */
#define WRITE_SIZE 8192U

static size_t
pictureSize(const DisplayPicture *picture)
{
    return (size_t)picture->width * picture->height * sizeof(uint32_t);
}

bool
displayPictureResize(DisplayPicture *picture, uint32_t width, uint32_t height)
{
    DisplayPicture fresh = {.width = width, .height = height};
    void *memory = mmap(NULL, pictureSize(&fresh), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED) {
        return false;
    }
    displayPictureFree(picture);
    fresh.pixels = memory;
    *picture = fresh;
    return true;
}

void
displayPictureFree(DisplayPicture *picture)
{
    if (picture->pixels) {
        munmap(picture->pixels, pictureSize(picture));
    }
    memset(picture, 0, sizeof(*picture));
}

void
displayPictureForget(DisplayPicture *picture)
{
    if (picture->pixels) {
        (void)madvise(picture->pixels, pictureSize(picture), MADV_DONTNEED);
    }
}

/* From @bits bits to 8, so that the brightest stays the brightest. */
static uint32_t
widen(uint32_t value, unsigned int bits)
{
    return value * 255U / ((1U << bits) - 1);
}

static uint32_t
readPixel(const uint8_t *source, uint32_t depth)
{
    uint32_t value;

    switch (depth) {
    case 8:
        value = *source;
        return widen(value >> 5, 3) << 16 | widen(value >> 2 & 7U, 3) << 8 | widen(value & 3U, 2);
    case 16:
        value = source[0] | (uint32_t)source[1] << 8;
        return widen(value >> 11, 5) << 16 | widen(value >> 5 & 63U, 6) << 8 | widen(value & 31U, 5);
    default:
        return source[0] | (uint32_t)source[1] << 8 | (uint32_t)source[2] << 16;
    }
}

/* Part of a row; returns whether it is another one now. */
static bool
copySegment(uint32_t *target, const uint8_t *source, uint32_t depth, uint32_t count)
{
    uint32_t fresh[DISPLAY_TILE];
    size_t size = count * sizeof(uint32_t);

    if (depth == 32) {
        if (memcmp(target, source, size) == 0) {
            return false;
        }
        memcpy(target, source, size);
        return true;
    }
    for (uint32_t i = 0; i < count; i++) {
        fresh[i] = readPixel(source + (size_t)i * (depth / 8), depth);
    }
    if (memcmp(target, fresh, size) == 0) {
        return false;
    }
    memcpy(target, fresh, size);
    return true;
}

void
displayPictureCopy(DisplayPicture *picture, const uint8_t *source, const DisplayGeometry *geometry, uint32_t top,
                   uint32_t rows, uint32_t first, uint32_t behind, DisplayPictureFunc func, void *opaque)
{
    for (uint32_t x = first; x < behind; x += DISPLAY_TILE) {
        uint32_t count = behind - x < DISPLAY_TILE ? behind - x : DISPLAY_TILE;
        uint32_t changedFirst = rows;
        uint32_t changedBehind = 0;

        for (uint32_t row = 0; row < rows; row++) {
            const uint8_t *from =
                source + geometry->offset + (size_t)(top + row) * geometry->stride + (size_t)x * (geometry->depth / 8);
            uint32_t *to = picture->pixels + (size_t)(top + row) * picture->width + x;

            if (copySegment(to, from, geometry->depth, count)) {
                changedFirst = row < changedFirst ? row : changedFirst;
                changedBehind = row + 1;
            }
        }
        if (changedBehind) {
            func(x, top + changedFirst, count, changedBehind - changedFirst, opaque);
        }
    }
}

static int
writeAll(int fd, const uint8_t *data, size_t length)
{
    while (length) {
        ssize_t count = write(fd, data, length);

        if (count < 0 && errno != EINTR) {
            return errno;
        }
        if (count > 0) {
            data += count;
            length -= (size_t)count;
        }
    }
    return 0;
}

int
displayPictureWrite(const DisplayPicture *picture, int fd)
{
    uint8_t buffer[WRITE_SIZE];
    size_t pixels = (size_t)picture->width * picture->height;
    int length = snprintf((char *)buffer, sizeof(buffer), "P6\n%u %u\n255\n", (unsigned)picture->width,
                          (unsigned)picture->height);
    size_t filled = (size_t)length;
    int error = 0;

    for (size_t i = 0; error == 0 && i < pixels; i++) {
        if (filled + 3 > sizeof(buffer)) {
            error = writeAll(fd, buffer, filled);
            filled = 0;
        }
        buffer[filled++] = (uint8_t)(picture->pixels[i] >> 16);
        buffer[filled++] = (uint8_t)(picture->pixels[i] >> 8);
        buffer[filled++] = (uint8_t)picture->pixels[i];
    }
    return error ? error : writeAll(fd, buffer, filled);
}
