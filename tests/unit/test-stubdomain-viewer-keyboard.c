/*
 * Unit tests of stubdom-viewer: keyboard and pointer
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Events are put into a page as the backend does; what is sent to QEMU's VNC
 * server is compared byte by byte.
 */

#include <glib.h>
#include <linux/input-event-codes.h>
#include <stdint.h>
#include <string.h>

#include <xen/xen.h>

#include <xen/io/kbdif.h>

#include "viewer_keyboard.h"
#include "viewer_keys.h"
#include "viewer_rfb.h"

static void
testKeys(void)
{
    static const struct {
        guint32 code;
        guint scancode;
    } cases[] = {
        {KEY_A, 0x1e},      {KEY_F12, 0x58},      {KEY_102ND, 0x56}, {KEY_RIGHTCTRL, 0x9d}, {KEY_UP, 0xc8},
        {KEY_DELETE, 0xd3}, {KEY_LEFTMETA, 0xdb}, {KEY_PAUSE, 0xc6}, {KEY_KPENTER, 0x9c},   {KEY_ZENKAKUHANKAKU, 0},
        {KEY_RESERVED, 0},  {KEY_MICMUTE, 0},     {KEY_MAX, 0},      {BTN_LEFT, 0},         {G_MAXUINT32, 0},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpuint(viewerKeysScancode(cases[i].code), ==, cases[i].scancode);
}

typedef struct {
    ViewerRfb *rfb;
    ViewerKeyboard keyboard;
    guint8 page[4096];
} Board;

static void
resized(guint width, guint height, ViewerPicture *picture, gpointer data)
{
}

/* A server's bytes up to a desktop of 640 x 480 pixels. */
static void
greet(ViewerRfb *rfb)
{
    static const char greeting[] = "RFB 003.008\n\1\1\0\0\0\0\2\200\1\340\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

    for (gsize i = 0; i < sizeof(greeting) - 1; i++) {
        struct iovec vector;

        g_assert_cmpuint(viewerRfbVectors(rfb, &vector, 1), ==, 1);
        *(char *)vector.iov_base = greeting[i];
        g_assert_true(viewerRfbReceived(rfb, 1, NULL));
    }
    g_assert_true(viewerRfbWantsUpdate(rfb));
}

static Board *
boardNew(void)
{
    Board *board = g_new0(Board, 1);

    board->rfb = viewerRfbNew(resized, NULL);
    board->keyboard.page = board->page;
    greet(board->rfb);
    g_byte_array_set_size(viewerRfbOutput(board->rfb), 0);
    return board;
}

static void
boardFree(Board *board)
{
    viewerRfbFree(board->rfb);
    g_free(board);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Board, boardFree)

static struct xenkbd_page *
ring(Board *board)
{
    return (struct xenkbd_page *)(gpointer)board->page;
}

static void
post(Board *board, const union xenkbd_in_event *event)
{
    XENKBD_IN_RING_REF(ring(board), ring(board)->in_prod) = *event;
    ring(board)->in_prod++;
}

static void
postKey(Board *board, guint32 code, gboolean pressed)
{
    union xenkbd_in_event event = {.key = {.type = XENKBD_TYPE_KEY, .pressed = (guint8)pressed, .keycode = code}};

    post(board, &event);
}

static void
postPosition(Board *board, gint32 x, gint32 y, gint32 wheel)
{
    union xenkbd_in_event event = {.pos = {.type = XENKBD_TYPE_POS, .abs_x = x, .abs_y = y, .rel_z = wheel}};

    post(board, &event);
}

static void
assertSent(Board *board, const char *bytes, gsize length)
{
    GByteArray *output = viewerRfbOutput(board->rfb);

    g_assert_true(viewerKeyboardRead(&board->keyboard, board->rfb, 65536));
    g_assert_cmpmem(output->data, output->len, bytes, length);
    g_assert_cmpuint(ring(board)->in_cons, ==, ring(board)->in_prod);
    g_byte_array_set_size(output, 0);
}

#define ASSERT_SENT(board, bytes) assertSent(board, bytes, sizeof(bytes) - 1)

static void
testEvents(void)
{
    g_autoptr(Board) board = boardNew();
    union xenkbd_in_event motion = {.motion = {.type = XENKBD_TYPE_MOTION, .rel_x = -3, .rel_y = 2}};
    union xenkbd_in_event unknown = {.type = 77};

    g_assert_false(viewerKeyboardRead(&board->keyboard, board->rfb, 65536));
    postKey(board, KEY_A, TRUE);
    ASSERT_SENT(board, "\377\0\0\1\0\0\0\0\0\0\0\x1e");
    postKey(board, KEY_A, FALSE);
    ASSERT_SENT(board, "\377\0\0\0\0\0\0\0\0\0\0\x1e");
    postPosition(board, 258, 3, 0);
    ASSERT_SENT(board, "\5\0\1\2\0\3");
    postKey(board, BTN_RIGHT, TRUE);
    ASSERT_SENT(board, "\5\4\1\2\0\3");
    post(board, &motion);
    ASSERT_SENT(board, "\5\4\0\377\0\5");
    postKey(board, BTN_RIGHT, FALSE);
    ASSERT_SENT(board, "\5\0\0\377\0\5");
    post(board, &unknown);
    postKey(board, KEY_MAX, TRUE);
    ASSERT_SENT(board, "");
}

static void
testWheel(void)
{
    g_autoptr(Board) board = boardNew();

    postPosition(board, 1, 1, -1);
    ASSERT_SENT(board, "\5\0\0\1\0\1\5\10\0\1\0\1\5\0\0\1\0\1");
    postPosition(board, 1, 1, 1);
    ASSERT_SENT(board, "\5\0\0\1\0\1\5\20\0\1\0\1\5\0\0\1\0\1");
    postPosition(board, 1, 1, G_MININT32);
    g_assert_true(viewerKeyboardRead(&board->keyboard, board->rfb, 65536));
    g_assert_cmpuint(viewerRfbOutput(board->rfb)->len, ==, (1 + 2 * 8) * 6);
}

/* Places that are none, and moves that would overflow. */
static void
testPlaces(void)
{
    g_autoptr(Board) board = boardNew();
    union xenkbd_in_event motion = {.motion = {.type = XENKBD_TYPE_MOTION, .rel_x = G_MAXINT32, .rel_y = G_MININT32}};

    postPosition(board, -1, 480, 0);
    ASSERT_SENT(board, "\5\0\0\0\1\337");
    postPosition(board, G_MAXINT32, G_MININT32, 0);
    ASSERT_SENT(board, "\5\0\2\177\0\0");
    post(board, &motion);
    ASSERT_SENT(board, "\5\0\2\177\0\0");
}

/* Indices that cannot be: no endless loop, nothing outside the ring, and it goes on after them. */
static void
testIndices(void)
{
    g_autoptr(Board) board = boardNew();
    GByteArray *output = viewerRfbOutput(board->rfb);

    for (guint i = 0; i < XENKBD_IN_RING_LEN; i++)
        postKey(board, KEY_A, i % 2);
    ring(board)->in_prod = 0x80000000U;
    g_assert_true(viewerKeyboardRead(&board->keyboard, board->rfb, 65536));
    g_assert_cmpuint(output->len, ==, 12 * XENKBD_IN_RING_LEN);
    g_assert_cmpuint(ring(board)->in_cons, ==, 0x80000000U);
    g_byte_array_set_size(output, 0);
    postKey(board, KEY_B, TRUE);
    ASSERT_SENT(board, "\377\0\0\1\0\0\0\0\0\0\0\x30");
}

/* QEMU does not read: events stay in the ring. */
static void
testPressure(void)
{
    g_autoptr(Board) board = boardNew();
    GByteArray *output = viewerRfbOutput(board->rfb);

    for (guint i = 0; i < 10; i++)
        postKey(board, KEY_A, i % 2);
    g_assert_true(viewerKeyboardRead(&board->keyboard, board->rfb, 30));
    g_assert_cmpuint(output->len, ==, 36);
    g_assert_cmpuint(ring(board)->in_cons, ==, 3);
    g_assert_false(viewerKeyboardRead(&board->keyboard, board->rfb, 30));
    g_byte_array_set_size(output, 0);
    g_assert_true(viewerKeyboardRead(&board->keyboard, board->rfb, 65536));
    g_assert_cmpuint(ring(board)->in_cons, ==, 10);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/viewer-keyboard/keys", testKeys);
    g_test_add_func("/viewer-keyboard/events", testEvents);
    g_test_add_func("/viewer-keyboard/wheel", testWheel);
    g_test_add_func("/viewer-keyboard/places", testPlaces);
    g_test_add_func("/viewer-keyboard/indices", testIndices);
    g_test_add_func("/viewer-keyboard/pressure", testPressure);
    return g_test_run();
}
