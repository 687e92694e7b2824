/*
 * The stream of a guest on its way between libxl and a save image
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "internal.h"

#include "stubdom_save_image.h"

typedef struct {
    int fd;             /* libxl's end; the caller's until the stream is finished */
    StubdomPump *pump;  /* carries it */
    virCommand *helper; /* packs or unpacks it, or NULL */
} StubdomSaveStream;

/* A stream that may be finished without having been opened. */
#define STUBDOM_SAVE_STREAM_INIT                                                                                       \
    {                                                                                                                  \
        .fd = -1                                                                                                       \
    }

/**
 * stubdomSaveStreamWrite: opens the way into an image.
 * @stream: STUBDOM_SAVE_STREAM_INIT
 * @image: as created
 * @bypassCache: of the kernel
 *
 * Short: starts a thread, and a program if the image is packed.
 *
 * Returns 0 and @stream->fd to be written to; or -1 with an error reported, and nothing has to be finished.
 */
int stubdomSaveStreamWrite(StubdomSaveStream *stream, const StubdomSaveImage *image, bool bypassCache);

/**
 * stubdomSaveStreamRead: opens the way out of an image. As stubdomSaveStreamWrite(), with @stream->fd to be read from.
 * @image: as opened
 */
int stubdomSaveStreamRead(StubdomSaveStream *stream, const StubdomSaveImage *image, bool bypassCache);

/**
 * stubdomSaveStreamFinish: closes libxl's end, and waits until all has been carried.
 * @data: size and digest of what is in the image
 *
 * Returns 0, or -1 with an error reported.
 */
int stubdomSaveStreamFinish(StubdomSaveStream *stream, StubdomPumpResult *data);
