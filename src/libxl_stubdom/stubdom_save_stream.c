/*
 * The stream of a guest on its way between libxl and a save image
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 *     libxl ──pipe── (gzip, zstd …) ──pipe── pump ── image
 *
 * and the other way round. Each end learns from its pipe that the one beyond
 * has ended, for whatever reason, so nothing of it has to be killed.
 */

#include "stubdom_compat.h"

#include "stubdom_save_stream.h"

#include <unistd.h>

#include "virfile.h"
#include "virutil.h"

enum { PIPE_READ, PIPE_WRITE, PIPE_ENDS };

static void
closePipe(int *ends)
{
    VIR_FORCE_CLOSE(ends[PIPE_READ]);
    VIR_FORCE_CLOSE(ends[PIPE_WRITE]);
}

/*
 * Puts the program between @near, which is libxl's pipe, and @far, which is the pump's. Its ends of both are closed
 * here.
 */
static int
startHelper(StubdomSaveStream *stream, const StubdomSaveImage *image, int *from, int *to, bool unpack)
{
    if (!(stream->helper = stubdomSaveFormatCommand(image->header.format, unpack))) {
        return -1;
    }
    virCommandSetInputFD(stream->helper, from[PIPE_READ]);
    virCommandSetOutputFD(stream->helper, &to[PIPE_WRITE]);
    if (virCommandRunAsync(stream->helper, NULL) < 0) {
        return -1;
    }
    VIR_FORCE_CLOSE(from[PIPE_READ]);
    VIR_FORCE_CLOSE(to[PIPE_WRITE]);
    return 0;
}

/* Makes the pipe between libxl and the pump, or the two with the program between them: the first is written to. */
static int
openPipes(StubdomSaveStream *stream, const StubdomSaveImage *image, int *first, int *second, bool unpack)
{
    if (virPipe(first) < 0) {
        return -1;
    }
    if (image->header.format == STUBDOM_SAVE_FORMAT_RAW) {
        second[PIPE_READ] = first[PIPE_READ];
        first[PIPE_READ] = -1;
        return 0;
    }
    return virPipe(second) < 0 ? -1 : startHelper(stream, image, first, second, unpack);
}

/* What was begun is undone, with the error that is reported. */
static int
giveUp(StubdomSaveStream *stream, int *first, int *second)
{
    virErrorPtr error = NULL;

    virErrorPreserveLast(&error);
    closePipe(first);
    closePipe(second);
    if (stream->helper) {
        virCommandAbort(stream->helper);
        g_clear_pointer(&stream->helper, virCommandFree);
    }
    virErrorRestore(&error);
    return -1;
}

int
stubdomSaveStreamWrite(StubdomSaveStream *stream, const StubdomSaveImage *image, bool bypassCache)
{
    int first[PIPE_ENDS] = {-1, -1};
    int second[PIPE_ENDS] = {-1, -1};

    if (openPipes(stream, image, first, second, false) < 0) {
        return giveUp(stream, first, second);
    }
    stream->pump = stubdomPumpToFile(second[PIPE_READ], image->fd, bypassCache);
    second[PIPE_READ] = -1;
    if (!stream->pump) {
        return giveUp(stream, first, second);
    }
    stream->fd = first[PIPE_WRITE];
    return 0;
}

int
stubdomSaveStreamRead(StubdomSaveStream *stream, const StubdomSaveImage *image, bool bypassCache)
{
    int first[PIPE_ENDS] = {-1, -1};
    int second[PIPE_ENDS] = {-1, -1};

    if (openPipes(stream, image, first, second, true) < 0) {
        return giveUp(stream, first, second);
    }
    stream->pump = stubdomPumpFromFile(image->fd, image->data.bytes, first[PIPE_WRITE], bypassCache);
    first[PIPE_WRITE] = -1;
    if (!stream->pump) {
        return giveUp(stream, first, second);
    }
    stream->fd = second[PIPE_READ];
    return 0;
}

/* The program's end comes after the pump's: it has nobody to write to or read from any more. */
int
stubdomSaveStreamFinish(StubdomSaveStream *stream, StubdomPumpResult *data)
{
    StubdomPump *pump = g_steal_pointer(&stream->pump);
    virErrorPtr error = NULL;
    int status;

    VIR_FORCE_CLOSE(stream->fd);
    if (!stream->helper) {
        stubdomPumpEnd(
            pump); /* a child of libxl's, of another guest that is being started, may have a copy of the pipe */
    }
    if ((status = stubdomPumpFinish(pump, data)) < 0) {
        virErrorPreserveLast(&error);
    }
    if (stream->helper) {
        int ended = virCommandWait(stream->helper, NULL);

        status = status < 0 ? status : ended;
        g_clear_pointer(&stream->helper, virCommandFree);
    }
    if (error) {
        virErrorRestore(&error);
    }
    return status;
}
