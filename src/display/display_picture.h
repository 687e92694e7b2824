/*
 * The picture viewers see
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A copy of the frontend's framebuffer in memory of our own, 32 bits a pixel.
 * VNC's encoders look at pixels more than once and would not survive that they
 * change in between, which the frontend can do at any time; so they never see
 * its memory. While it is copied it is compared, so that viewers are sent only
 * what really changed.
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "display_check.h"

/* Columns compared at a time. */
#define DISPLAY_TILE 64U

typedef struct {
    uint32_t width;
    uint32_t height;
    uint32_t *pixels; /* 0x00RRGGBB, rows without gaps; pages of its own */
} DisplayPicture;

/* A part that changed. */
typedef void (*DisplayPictureFunc)(uint32_t x, uint32_t y, uint32_t width, uint32_t height, void *opaque);

/** A black picture. False if there is no memory for it; the old one is kept then. */
bool displayPictureResize(DisplayPicture *picture, uint32_t width, uint32_t height);

void displayPictureFree(DisplayPicture *picture);

/** Gives the memory back to the system; the picture is black then. */
void displayPictureForget(DisplayPicture *picture);

/**
 * displayPictureCopy:
 * @source: the frontend's framebuffer, which may change meanwhile
 * @geometry: checked, and of the picture's size
 * @top: first row, @rows: how many
 * @first: first column, @behind: column after the last
 * @func: called for each tile that changed
 *
 * Copies that part of the framebuffer into the picture.
 */
void displayPictureCopy(DisplayPicture *picture, const uint8_t *source, const DisplayGeometry *geometry, uint32_t top,
                        uint32_t rows, uint32_t first, uint32_t behind, DisplayPictureFunc func, void *opaque);

/** Writes it into a file as a PPM (P6). 0 or an errno. */
int displayPictureWrite(const DisplayPicture *picture, int fd);
