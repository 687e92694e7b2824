/*
 * Unit tests of stubdom-viewer: RFB
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A server's bytes go in, in pieces of each size; pixels and answers are looked
 * at. The picture has a guard around it: a byte outside is a failure.
 */

#include <glib.h>
#include <string.h>

#include "viewer_rfb.h"
#include "init_error.h"

#define GUARD 0xa5
#define STRIDE 64U
#define ROWS 12U
#define PIXELS_MAX 10U /* of the picture, in a row */
#define LINES_MAX 8U

/* Of the answers, when the desktop is there: version, security type, shared, format, encodings. */
#define GREETED (12U + 1U + 1U + 20U + 16U)

typedef struct {
    ViewerRfb *rfb;
    guint8 pixels[ROWS * STRIDE];
    guint resizes;
    guint width, height;
} Viewer;

static void
resized(guint width, guint height, ViewerPicture *picture, gpointer data)
{
    Viewer *viewer = data;

    viewer->resizes++;
    viewer->width = width;
    viewer->height = height;
    picture->pixels = viewer->pixels + STRIDE; /* a row of guard before it */
    picture->stride = STRIDE;
    picture->width = PIXELS_MAX;
    picture->height = LINES_MAX;
}

static Viewer *
viewerNew(void)
{
    Viewer *viewer = g_new0(Viewer, 1);

    memset(viewer->pixels, GUARD, sizeof(viewer->pixels));
    viewer->rfb = viewerRfbNew(resized, viewer);
    return viewer;
}

static void
viewerFree(Viewer *viewer)
{
    viewerRfbFree(viewer->rfb);
    g_free(viewer);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Viewer, viewerFree)

static guint8 *
pixel(Viewer *viewer, guint x, guint y)
{
    return viewer->pixels + (gsize)(y + 1) * STRIDE + (gsize)x * 4;
}

/* Nothing outside the picture has been written. */
static void
checkGuard(Viewer *viewer)
{
    for (guint i = 0; i < sizeof(viewer->pixels); i++) {
        guint row = i / STRIDE;
        gboolean inside = row >= 1 && row <= LINES_MAX && i % STRIDE < PIXELS_MAX * 4;

        if (!inside)
            g_assert_cmpuint(viewer->pixels[i], ==, GUARD);
    }
}

/* As readv() would, at most @piece bytes at a time. */
static gboolean
feed(Viewer *viewer, const GByteArray *bytes, gsize piece, GError **error)
{
    gsize done = 0;

    while (done < bytes->len) {
        struct iovec vectors[3];
        guint count = viewerRfbVectors(viewer->rfb, vectors, G_N_ELEMENTS(vectors));
        gsize left = MIN(piece, bytes->len - done);
        gsize length = 0;

        g_assert_cmpuint(count, >=, 1);
        g_assert_cmpuint(count, <=, G_N_ELEMENTS(vectors));
        for (guint i = 0; i < count && length < left; i++) {
            gsize part = MIN(vectors[i].iov_len, left - length);

            g_assert_cmpuint(vectors[i].iov_len, >, 0);
            memcpy(vectors[i].iov_base, bytes->data + done + length, part);
            length += part;
        }
        done += length;
        if (!viewerRfbReceived(viewer->rfb, length, error))
            return FALSE;
    }
    return TRUE;
}

static void
add(GByteArray *bytes, guint64 value, guint size)
{
    for (guint i = size; i-- > 0;) {
        guint8 byte = (guint8)(value >> (8 * i));

        g_byte_array_append(bytes, &byte, 1);
    }
}

/* Everything up to the first message. */
static void
addGreeting(GByteArray *bytes, guint width, guint height)
{
    g_byte_array_append(bytes, (const guint8 *)"RFB 003.008\n", 12);
    add(bytes, 0x0102, 2); /* one security type, none... */
    bytes->data[bytes->len - 1] = 1;
    add(bytes, 0, 4);
    add(bytes, width, 2);
    add(bytes, height, 2);
    add(bytes, 0, 8);
    add(bytes, 0, 8); /* its own format is of no interest */
    add(bytes, 4, 4);
    g_byte_array_append(bytes, (const guint8 *)"QEMU", 4);
}

static void
addUpdate(GByteArray *bytes, guint rectangles)
{
    add(bytes, rectangles, 4);
}

static void
addRectangle(GByteArray *bytes, guint x, guint y, guint width, guint height, gint32 encoding)
{
    add(bytes, x, 2);
    add(bytes, y, 2);
    add(bytes, width, 2);
    add(bytes, height, 2);
    add(bytes, (guint32)encoding, 4);
}

/* A rectangle whose pixels are numbered from @first on. */
static void
addRaw(GByteArray *bytes, guint x, guint y, guint width, guint height, guint32 first)
{
    addRectangle(bytes, x, y, width, height, 0);
    for (guint i = 0; i < width * height; i++)
        add(bytes, first + i, 4);
}

static guint32
value(Viewer *viewer, guint x, guint y)
{
    const guint8 *p = pixel(viewer, x, y);

    return (guint32)p[0] << 24 | (guint32)p[1] << 16 | (guint32)p[2] << 8 | p[3];
}

/* --- the picture --- */

static void
testPicture(void)
{
    for (gsize piece = 1; piece < 200; piece++) {
        g_autoptr(Viewer) viewer = viewerNew();
        g_autoptr(GByteArray) bytes = g_byte_array_new();
        g_autoptr(GError) error = NULL;

        addGreeting(bytes, 6, 4);
        g_assert_false(viewerRfbWantsUpdate(viewer->rfb));
        feed(viewer, bytes, piece, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(viewerRfbOutput(viewer->rfb)->len, ==, GREETED);
        g_assert_true(viewerRfbWantsUpdate(viewer->rfb));
        viewerRfbAskUpdate(viewer->rfb);
        g_assert_false(viewerRfbWantsUpdate(viewer->rfb));

        g_byte_array_set_size(bytes, 0);
        addUpdate(bytes, 3);
        addRaw(bytes, 0, 0, 6, 4, 0x100);
        addRaw(bytes, 2, 1, 3, 2, 0x200);
        addRaw(bytes, 6, 4, 0, 0, 0);
        feed(viewer, bytes, piece, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(value(viewer, 0, 0), ==, 0x100);
        g_assert_cmpuint(value(viewer, 5, 3), ==, 0x117);
        g_assert_cmpuint(value(viewer, 2, 1), ==, 0x200);
        g_assert_cmpuint(value(viewer, 4, 2), ==, 0x205);
        g_assert_true(viewerRfbWantsUpdate(viewer->rfb));
        checkGuard(viewer);
    }
}

/* The desktop is larger than the picture: its upper left corner is seen, and the rest goes nowhere. */
static void
testCropped(void)
{
    for (gsize piece = 1; piece < 200; piece++) {
        g_autoptr(Viewer) viewer = viewerNew();
        g_autoptr(GByteArray) bytes = g_byte_array_new();
        g_autoptr(GError) error = NULL;

        addGreeting(bytes, 20, 11);
        addUpdate(bytes, 3);
        addRaw(bytes, 0, 0, 20, 11, 0);
        addRaw(bytes, 8, 7, 4, 2, 0x1000);
        addRaw(bytes, 12, 1, 5, 2, 0x2000);
        feed(viewer, bytes, piece, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(value(viewer, 9, 0), ==, 9);
        g_assert_cmpuint(value(viewer, 0, 6), ==, 120);
        g_assert_cmpuint(value(viewer, 8, 7), ==, 0x1000);
        g_assert_cmpuint(value(viewer, 9, 7), ==, 0x1001);
        checkGuard(viewer);
    }
}

/* Another size is told before pixels of it come, and all of it is asked for. */
static void
testResize(void)
{
    g_autoptr(Viewer) viewer = viewerNew();
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    g_autoptr(GError) error = NULL;
    GByteArray *output = viewerRfbOutput(viewer->rfb);

    addGreeting(bytes, 6, 4);
    addUpdate(bytes, 1);
    addRaw(bytes, 0, 0, 6, 4, 0);
    feed(viewer, bytes, 7, &error);
    g_assert_no_error(error);
    viewerRfbAskUpdate(viewer->rfb);
    g_assert_cmpuint(output->data[GREETED + 1], ==, FALSE); /* all */
    viewerRfbAskUpdate(viewer->rfb);
    g_assert_cmpuint(output->data[GREETED + 11], ==, TRUE); /* what changes */

    g_byte_array_set_size(bytes, 0);
    g_byte_array_set_size(output, 0);
    addUpdate(bytes, 2);
    addRectangle(bytes, 0, 0, 3, 2, -223);
    addRaw(bytes, 0, 0, 3, 2, 7);
    feed(viewer, bytes, 7, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(viewer->resizes, ==, 2);
    g_assert_cmpuint(viewer->width, ==, 3);
    viewerRfbAskUpdate(viewer->rfb);
    g_assert_cmpmem(output->data, output->len, "\3\0\0\0\0\0\0\3\0\2", 10);
    checkGuard(viewer);
}

/* What else a server may say. */
static void
testIgnored(void)
{
    g_autoptr(Viewer) viewer = viewerNew();
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    g_autoptr(GError) error = NULL;

    addGreeting(bytes, 6, 4);
    add(bytes, 2, 1);          /* bell */
    add(bytes, 0x03000000, 4); /* cut text */
    add(bytes, 5, 4);
    g_byte_array_append(bytes, (const guint8 *)"hello", 5);
    addUpdate(bytes, 0);
    addUpdate(bytes, 1);
    addRectangle(bytes, 0, 0, 6, 4, -258);
    add(bytes, 2, 1);
    feed(viewer, bytes, 3, &error);
    g_assert_no_error(error);
    g_assert_true(viewerRfbWantsUpdate(viewer->rfb));
}

/* --- what a server must not say --- */

static void
testRefused(void)
{
    static const struct {
        guint x, y, width, height;
        gint32 encoding;
    } cases[] = {
        {0, 0, 7, 4, 0},
        {0, 0, 6, 5, 0},
        {1, 0, 6, 4, 0},
        {6, 0, 1, 1, 0},
        {0, 4, 1, 1, 0},
        {65535, 0, 1, 1, 0},
        {65535, 65535, 65535, 65535, 0},
        {0, 0, 0, 4, -223},
        {0, 0, 6, 0, -223},
        {0, 0, 8193, 4, -223},
        {0, 0, 6, 65535, -223},
        {0, 0, 6, 4, 1},
        {0, 0, 6, 4, 16},
        {0, 0, 6, 4, -239},
        {0, 0, 6, 4, G_MININT32},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Viewer) viewer = viewerNew();
        g_autoptr(GByteArray) bytes = g_byte_array_new();
        g_autoptr(GError) error = NULL;

        addGreeting(bytes, 6, 4);
        addUpdate(bytes, 1);
        addRectangle(bytes, cases[i].x, cases[i].y, cases[i].width, cases[i].height, cases[i].encoding);
        g_assert_false(feed(viewer, bytes, bytes->len, &error));
        g_assert_error(error, INIT_ERROR, INIT_ERROR_RFB);
        checkGuard(viewer);
    }
}

static void
testGreetingRefused(void)
{
    static const struct {
        gsize position;
        guint8 byte;
    } cases[] = {
        {0, 'X'},   /* no RFB */
        {6, '9'},   /* another version */
        {12, 0},    /* no security type */
        {13, 2},    /* a password */
        {17, 1},    /* refused */
        {19, 0},    /* no width */
        {21, 0},    /* no height */
        {18, 0xff}, /* a width */
        {38, 0x7f}, /* a name of 2 GiB */
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Viewer) viewer = viewerNew();
        g_autoptr(GByteArray) bytes = g_byte_array_new();
        g_autoptr(GError) error = NULL;

        addGreeting(bytes, 6, 4);
        bytes->data[cases[i].position] = cases[i].byte;
        g_assert_false(feed(viewer, bytes, 1, &error));
        g_assert_error(error, INIT_ERROR, INIT_ERROR_RFB);
        g_assert_cmpuint(viewer->resizes, ==, 0);
    }
}

static void
testMessageRefused(void)
{
    static const guint8 kinds[] = {1, 4, 150, 248, 255};

    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autoptr(Viewer) viewer = viewerNew();
        g_autoptr(GByteArray) bytes = g_byte_array_new();
        g_autoptr(GError) error = NULL;

        addGreeting(bytes, 6, 4);
        g_byte_array_append(bytes, &kinds[i], 1);
        g_assert_false(feed(viewer, bytes, bytes->len, &error));
        g_assert_error(error, INIT_ERROR, INIT_ERROR_RFB);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/viewer/picture", testPicture);
    g_test_add_func("/viewer/cropped", testCropped);
    g_test_add_func("/viewer/resize", testResize);
    g_test_add_func("/viewer/ignored", testIgnored);
    g_test_add_func("/viewer/refused", testRefused);
    g_test_add_func("/viewer/greeting-refused", testGreetingRefused);
    g_test_add_func("/viewer/message-refused", testMessageRefused);
    return g_test_run();
}
