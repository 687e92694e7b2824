/*
 * RFB client of stubdom-viewer, see the header
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A state says how many bytes are needed next and what they mean. Numbers are
 * big-endian but for the pixels, which are the framebuffer's.
 */

#include "viewer_rfb.h"

#include <string.h>

#include "init_error.h"

#define VERSION "RFB 003.008\n"
#define VERSION_LENGTH 12U
#define SECURITY_NONE 1U
#define SERVER_INIT_LENGTH 24U
#define UPDATE_LENGTH 3U
#define RECTANGLE_LENGTH 12U
#define CUT_TEXT_LENGTH 7U
#define HEAD_MAX 256U

/* Bytes of a name or a cut text: both are thrown away, and QEMU sends short ones. */
#define TEXT_MAX 0x100000U

/* Room for the longest row: what is not shown goes here. */
#define SCRAP_LENGTH ((gsize)VIEWER_RFB_MAX * VIEWER_RFB_PIXEL)

/* From the server. */
#define MESSAGE_UPDATE 0U
#define MESSAGE_BELL 2U
#define MESSAGE_CUT_TEXT 3U

/* To the server. */
#define MESSAGE_SET_FORMAT 0U
#define MESSAGE_SET_ENCODINGS 2U
#define MESSAGE_ASK_UPDATE 3U
#define MESSAGE_POINTER 5U
#define MESSAGE_QEMU 255U
#define MESSAGE_QEMU_KEY 0U

#define ENCODING_RAW 0
#define ENCODING_DESKTOP_SIZE (-223)
#define ENCODING_QEMU_KEY (-258)

typedef enum {
    RFB_VERSION,
    RFB_SECURITY_COUNT,
    RFB_SECURITY_TYPES,
    RFB_SECURITY_RESULT,
    RFB_SERVER_INIT,
    RFB_NAME,
    RFB_MESSAGE,
    RFB_UPDATE,
    RFB_RECTANGLE,
    RFB_PIXELS,
    RFB_CUT_TEXT,
    RFB_CUT_TEXT_BODY,
} RfbState;

struct ViewerRfb {
    ViewerRfbResized resized;
    gpointer data;
    ViewerPicture picture;
    GByteArray *output;
    RfbState state;
    gsize needed; /* bytes of this state */
    gsize got;
    guint width; /* of the desktop; 0: there is none yet */
    guint height;
    gboolean asked;    /* an update was asked for and is not complete */
    gboolean complete; /* all of the desktop has been seen at this size, or was asked for */
    guint rectangles;  /* still to come in this update */
    struct {
        guint x, y, width, height;
    } rectangle;
    guint8 head[HEAD_MAX];
    guint8 scrap[SCRAP_LENGTH];
};

static guint
get16(const guint8 *bytes)
{
    return (guint)bytes[0] << 8 | bytes[1];
}

static guint32
get32(const guint8 *bytes)
{
    return (guint32)get16(bytes) << 16 | get16(bytes + 2);
}

static void
put8(ViewerRfb *rfb, guint value)
{
    guint8 byte = (guint8)value;

    g_byte_array_append(rfb->output, &byte, 1);
}

static void
put16(ViewerRfb *rfb, guint value)
{
    put8(rfb, value >> 8);
    put8(rfb, value & 0xff);
}

static void
put32(ViewerRfb *rfb, guint32 value)
{
    put16(rfb, value >> 16);
    put16(rfb, value & 0xffff);
}

static void
enter(ViewerRfb *rfb, RfbState state, gsize needed)
{
    rfb->state = state;
    rfb->needed = needed;
    rfb->got = 0;
}

static gboolean refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static gboolean
refuse(GError **error, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(error, INIT_ERROR, INIT_ERROR_RFB, "QEMU's VNC server: %s", text);
    return FALSE;
}

ViewerRfb *
viewerRfbNew(ViewerRfbResized resized, gpointer data)
{
    ViewerRfb *rfb = g_new0(ViewerRfb, 1);

    rfb->resized = resized;
    rfb->data = data;
    rfb->output = g_byte_array_new();
    enter(rfb, RFB_VERSION, VERSION_LENGTH);
    return rfb;
}

void
viewerRfbFree(ViewerRfb *rfb)
{
    if (!rfb)
        return;
    g_byte_array_unref(rfb->output);
    g_free(rfb);
}

GByteArray *
viewerRfbOutput(ViewerRfb *rfb)
{
    return rfb->output;
}

/* --- the desktop --- */

static gboolean
resize(ViewerRfb *rfb, guint width, guint height, GError **error)
{
    if (width == 0 || height == 0 || width > VIEWER_RFB_MAX || height > VIEWER_RFB_MAX)
        return refuse(error, "a desktop of %u x %u pixels, where %u are the most", width, height, VIEWER_RFB_MAX);
    rfb->width = width;
    rfb->height = height;
    rfb->complete = FALSE;
    memset(&rfb->picture, 0, sizeof(rfb->picture));
    rfb->resized(width, height, &rfb->picture, rfb->data);
    rfb->picture.width = MIN(rfb->picture.width, width);
    rfb->picture.height = MIN(rfb->picture.height, height);
    return TRUE;
}

/* The framebuffer's pixels: blue, green, red, nothing (drivers/video/fbdev/xen-fbfront.c). */
static void
setFormat(ViewerRfb *rfb)
{
    put32(rfb, MESSAGE_SET_FORMAT << 24);
    put8(rfb, 32); /* bits of a pixel */
    put8(rfb, 24); /* of them, those with a meaning */
    put8(rfb, G_BYTE_ORDER == G_BIG_ENDIAN);
    put8(rfb, TRUE); /* no palette */
    put16(rfb, 255);
    put16(rfb, 255);
    put16(rfb, 255);
    put8(rfb, 16);
    put8(rfb, 8);
    put8(rfb, 0);
    put8(rfb, 0);
    put16(rfb, 0);
}

static void
setEncodings(ViewerRfb *rfb)
{
    put16(rfb, MESSAGE_SET_ENCODINGS << 8);
    put16(rfb, 3);
    put32(rfb, ENCODING_RAW);
    put32(rfb, (guint32)ENCODING_DESKTOP_SIZE);
    put32(rfb, (guint32)ENCODING_QEMU_KEY);
}

gboolean
viewerRfbWantsUpdate(const ViewerRfb *rfb)
{
    return rfb->width > 0 && !rfb->asked;
}

void
viewerRfbAskUpdate(ViewerRfb *rfb)
{
    put8(rfb, MESSAGE_ASK_UPDATE);
    put8(rfb, rfb->complete);
    put16(rfb, 0);
    put16(rfb, 0);
    put16(rfb, rfb->width);
    put16(rfb, rfb->height);
    rfb->asked = TRUE;
    rfb->complete = TRUE;
}

/* --- what comes in --- */

static gboolean
handleVersion(ViewerRfb *rfb, GError **error)
{
    if (memcmp(rfb->head, VERSION, VERSION_LENGTH) != 0)
        return refuse(error, "another protocol than RFB 3.8");
    g_byte_array_append(rfb->output, (const guint8 *)VERSION, VERSION_LENGTH);
    enter(rfb, RFB_SECURITY_COUNT, 1);
    return TRUE;
}

static gboolean
handleSecurityTypes(ViewerRfb *rfb, GError **error)
{
    if (!memchr(rfb->head, SECURITY_NONE, rfb->needed))
        return refuse(error, "it wants a password");
    put8(rfb, SECURITY_NONE);
    enter(rfb, RFB_SECURITY_RESULT, 4);
    return TRUE;
}

static gboolean
handleServerInit(ViewerRfb *rfb, GError **error)
{
    guint32 name = get32(rfb->head + SERVER_INIT_LENGTH - 4);

    if (name > TEXT_MAX)
        return refuse(error, "a name of %u bytes", name);
    if (!resize(rfb, get16(rfb->head), get16(rfb->head + 2), error))
        return FALSE;
    setFormat(rfb);
    setEncodings(rfb);
    enter(rfb, RFB_NAME, name);
    return TRUE;
}

static gboolean
handleMessage(ViewerRfb *rfb, GError **error)
{
    switch (rfb->head[0]) {
    case MESSAGE_UPDATE:
        enter(rfb, RFB_UPDATE, UPDATE_LENGTH);
        return TRUE;
    case MESSAGE_BELL:
        enter(rfb, RFB_MESSAGE, 1);
        return TRUE;
    case MESSAGE_CUT_TEXT:
        enter(rfb, RFB_CUT_TEXT, CUT_TEXT_LENGTH);
        return TRUE;
    default:
        return refuse(error, "a message of kind %u, which nobody asked for", rfb->head[0]);
    }
}

/* A rectangle is complete. */
static void
nextRectangle(ViewerRfb *rfb)
{
    if (rfb->rectangles > 0) {
        enter(rfb, RFB_RECTANGLE, RECTANGLE_LENGTH);
        return;
    }
    rfb->asked = FALSE;
    enter(rfb, RFB_MESSAGE, 1);
}

static gboolean
handleRectangle(ViewerRfb *rfb, GError **error)
{
    gint32 encoding = (gint32)get32(rfb->head + 8);
    guint x = get16(rfb->head);
    guint y = get16(rfb->head + 2);
    guint width = get16(rfb->head + 4);
    guint height = get16(rfb->head + 6);

    rfb->rectangles--;
    switch (encoding) {
    case ENCODING_RAW:
        if (x + width > rfb->width || y + height > rfb->height)
            return refuse(error, "%u x %u pixels at %u, %u of a desktop with %u x %u", width, height, x, y, rfb->width,
                          rfb->height);
        rfb->rectangle.x = x;
        rfb->rectangle.y = y;
        rfb->rectangle.width = width;
        rfb->rectangle.height = height;
        enter(rfb, RFB_PIXELS, (gsize)width * height * VIEWER_RFB_PIXEL);
        return TRUE;
    case ENCODING_DESKTOP_SIZE:
        if (!resize(rfb, width, height, error))
            return FALSE;
        nextRectangle(rfb);
        return TRUE;
    case ENCODING_QEMU_KEY: /* it knows our keys */
        nextRectangle(rfb);
        return TRUE;
    default:
        return refuse(error, "the encoding %d, which nobody asked for", encoding);
    }
}

/* All bytes of a state are there. */
static gboolean
handle(ViewerRfb *rfb, GError **error)
{
    switch (rfb->state) {
    case RFB_VERSION:
        return handleVersion(rfb, error);
    case RFB_SECURITY_COUNT:
        if (rfb->head[0] == 0)
            return refuse(error, "it takes nobody");
        enter(rfb, RFB_SECURITY_TYPES, rfb->head[0]);
        return TRUE;
    case RFB_SECURITY_TYPES:
        return handleSecurityTypes(rfb, error);
    case RFB_SECURITY_RESULT:
        if (get32(rfb->head) != 0)
            return refuse(error, "it refuses us");
        put8(rfb, TRUE); /* others may look, too */
        enter(rfb, RFB_SERVER_INIT, SERVER_INIT_LENGTH);
        return TRUE;
    case RFB_SERVER_INIT:
        return handleServerInit(rfb, error);
    case RFB_MESSAGE:
        return handleMessage(rfb, error);
    case RFB_UPDATE:
        rfb->rectangles = get16(rfb->head + 1);
        nextRectangle(rfb);
        return TRUE;
    case RFB_RECTANGLE:
        return handleRectangle(rfb, error);
    case RFB_PIXELS:
        nextRectangle(rfb);
        return TRUE;
    case RFB_CUT_TEXT:
        if (get32(rfb->head + 3) > TEXT_MAX)
            return refuse(error, "a text of %u bytes", get32(rfb->head + 3));
        enter(rfb, RFB_CUT_TEXT_BODY, get32(rfb->head + 3));
        return TRUE;
    case RFB_NAME:
    case RFB_CUT_TEXT_BODY:
        enter(rfb, RFB_MESSAGE, 1);
        return TRUE;
    default:
        g_assert_not_reached();
    }
}

gboolean
viewerRfbReceived(ViewerRfb *rfb, gsize length, GError **error)
{
    rfb->got += length;
    while (rfb->got == rfb->needed) { /* the next state may need nothing */
        if (!handle(rfb, error))
            return FALSE;
    }
    return TRUE;
}

/* Adds a vector for what is missing of @length bytes at @target, of which the rectangle's bytes from @start on are. */
static gsize
addVector(struct iovec *vector, guint8 *target, gsize start, gsize length, gsize position)
{
    gsize skipped = position > start ? position - start : 0;

    vector->iov_base = target + skipped;
    vector->iov_len = length - skipped;
    return vector->iov_len;
}

/* Each row is a part that is shown and a part that is not; either may be empty. */
static guint
pixelVectors(ViewerRfb *rfb, struct iovec *vectors, guint max)
{
    const ViewerPicture *picture = &rfb->picture;
    gsize row = (gsize)rfb->rectangle.width * VIEWER_RFB_PIXEL;
    gsize position = rfb->got;
    guint count = 0;

    while (position < rfb->needed && count < max) {
        gsize number = position / row;
        guint y = rfb->rectangle.y + (guint)number;
        guint end = MIN(rfb->rectangle.x + rfb->rectangle.width, picture->width);
        gsize shown =
            y < picture->height && end > rfb->rectangle.x ? (gsize)(end - rfb->rectangle.x) * VIEWER_RFB_PIXEL : 0;
        gsize start = number * row;

        if (position < start + shown) {
            guint8 *target = picture->pixels + y * picture->stride + (gsize)rfb->rectangle.x * VIEWER_RFB_PIXEL;

            position += addVector(&vectors[count++], target, start, shown, position);
        } else {
            position += addVector(&vectors[count++], rfb->scrap, start + shown, row - shown, position);
        }
    }
    return count;
}

guint
viewerRfbVectors(ViewerRfb *rfb, struct iovec *vectors, guint max)
{
    gsize left = rfb->needed - rfb->got;

    if (rfb->state == RFB_PIXELS)
        return pixelVectors(rfb, vectors, max);
    if (rfb->state == RFB_NAME || rfb->state == RFB_CUT_TEXT_BODY) {
        vectors[0].iov_base = rfb->scrap;
        vectors[0].iov_len = MIN(left, SCRAP_LENGTH);
    } else {
        vectors[0].iov_base = rfb->head + rfb->got;
        vectors[0].iov_len = left;
    }
    return 1;
}

/* --- what goes out --- */

void
viewerRfbKey(ViewerRfb *rfb, guint scancode, gboolean down)
{
    if (rfb->width == 0)
        return;
    put8(rfb, MESSAGE_QEMU);
    put8(rfb, MESSAGE_QEMU_KEY);
    put16(rfb, down ? 1 : 0);
    put32(rfb, 0); /* no symbol: there is no keymap on this way */
    put32(rfb, scancode);
}

void
viewerRfbPointer(ViewerRfb *rfb, guint buttons, guint x, guint y)
{
    if (rfb->width == 0)
        return;
    put8(rfb, MESSAGE_POINTER);
    put8(rfb, buttons);
    put16(rfb, MIN(x, rfb->width - 1));
    put16(rfb, MIN(y, rfb->height - 1));
}
