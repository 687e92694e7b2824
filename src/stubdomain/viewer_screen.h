/*
 * The PV framebuffer, as the kernel shows it at /dev/fb0
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * xen-fbfront has room for one largest picture (its parameter `video`) and takes
 * each smaller size if the backend knows `feature-resize`. What is written to
 * the mapping is sent from by the kernel, rows that were touched, twenty times a
 * second at most (deferred I/O): nobody here tells it. The length of a row in
 * memory never changes.
 */

#pragma once

#include <glib.h>

#include "viewer_rfb.h"

typedef struct {
    int fd;
    guint8 *pixels;
    gsize length; /* bytes */
    gsize stride; /* bytes */
    guint width;  /* of the largest picture, pixels */
    guint height;
} ViewerScreen;

/**
 * viewerScreenOpen:
 * @fd: /dev/fb0, open
 * @width, @height: of the largest picture, which is the size it had at the start
 *
 * Maps it; it stays so until the process ends.
 *
 * Returns: FALSE with INIT_ERROR_SYSTEM when it is no framebuffer of 32 bits
 */
gboolean viewerScreenOpen(ViewerScreen *screen, int fd, guint width, guint height, GError **error);

/**
 * viewerScreenResize:
 * @width, @height: pixels to show
 * @picture: (out): where they go; smaller than asked for if there is no room
 *
 * Returns: FALSE with INIT_ERROR_SYSTEM when the framebuffer keeps another
 *   size; @picture is good all the same
 */
gboolean viewerScreenResize(ViewerScreen *screen, guint width, guint height, ViewerPicture *picture, GError **error);
