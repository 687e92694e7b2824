/*
 * Tests of what the display checks before it believes it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Sizes, rings, what changed, messages of viewers and of xen-stubdom-dm, keys:
 * the parts that do no I/O.
 */

#include <string.h>

#include <glib.h>
#include <linux/input-event-codes.h>

#include "device_model/display_message.h"
#include "display_check.h"
#include "display_dirty.h"
#include "display_keys.h"
#include "display_picture.h"
#include "display_rfb.h"
#include "display_ring.h"

static void
testGeometry(void)
{
    static const struct {
        DisplayGeometry geometry;
        uint32_t length;
        bool right;
    } rows[] = {
        {{64, 48, 256, 0, 32}, 12288, true},
        {{64, 48, 256, 0, 32}, 12287, false},
        {{64, 48, 256, 1, 32}, 12288, false},
        {{64, 48, 320, 0, 32}, 47 * 320 + 256, true},
        {{64, 48, 255, 0, 32}, 1 << 20, false},
        {{0, 48, 256, 0, 32}, 1 << 20, false},
        {{64, 0, 256, 0, 32}, 1 << 20, false},
        {{DISPLAY_SIDE_MAX, 1, DISPLAY_SIDE_MAX, 0, 8}, DISPLAY_SIDE_MAX, true},
        {{DISPLAY_SIDE_MAX + 1, 1, DISPLAY_SIDE_MAX + 1, 0, 8}, 1 << 20, false},
        {{64, 48, 256, 0, 15}, 1 << 20, false},
        {{64, 48, 192, 0, 24}, 9216, true},
        {{64, 48, UINT32_MAX, 0, 32}, UINT32_MAX, false},
        {{64, 48, 256, UINT32_MAX, 32}, UINT32_MAX, false},
        {{UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, 32}, UINT32_MAX, false},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_assert_cmpint(displayGeometryCheck(&rows[i].geometry, rows[i].length), ==, rows[i].right);
    }
    g_assert_false(displayLengthCheck(0, 4096));
    g_assert_true(displayLengthCheck(4096, 4096));
    g_assert_false(displayLengthCheck(4097, 4096));
}

static void
testDirectories(void)
{
    g_assert_cmpuint(displayPages(1), ==, 1);
    g_assert_cmpuint(displayPages(4096), ==, 1);
    g_assert_cmpuint(displayPages(UINT32_MAX), ==, 1 << 20);
    g_assert_cmpuint(displayDirectories(512 * 4096, 8), ==, 1);
    g_assert_cmpuint(displayDirectories(512 * 4096 + 1, 8), ==, 2);
    g_assert_cmpuint(displayDirectories(512 * 4096 + 1, 4), ==, 1);
    g_assert_cmpuint(displayDirectories(256U * 512 * 4096, 8), ==, 256);
    g_assert_cmpuint(displayDirectories(256U * 512 * 4096 + 1, 8), ==, 0);
}

static void
testFbRing(void)
{
    g_autofree struct xenfb_page *page = g_malloc0(DISPLAY_PAGE_SIZE);
    union xenfb_out_event event;
    DisplayFbRing ring;

    page->out_cons = UINT32_MAX; /* indices run through */
    page->out_prod = UINT32_MAX;
    displayFbRingInit(&ring, page);
    g_assert_cmpint(displayFbRingTake(&ring, &event), ==, DISPLAY_RING_NONE);
    XENFB_OUT_RING_REF(page, page->out_prod).type = XENFB_TYPE_UPDATE;
    page->out_prod++;
    page->out_cons = 77; /* not the frontend's to say */
    g_assert_cmpint(displayFbRingTake(&ring, &event), ==, DISPLAY_RING_OK);
    g_assert_cmpint(event.type, ==, XENFB_TYPE_UPDATE);
    displayFbRingFinish(&ring);
    g_assert_cmpuint(page->out_cons, ==, 0);
    page->out_prod = XENFB_OUT_RING_LEN;
    for (guint i = 0; i < XENFB_OUT_RING_LEN; i++) {
        g_assert_cmpint(displayFbRingTake(&ring, &event), ==, DISPLAY_RING_OK);
    }
    page->out_prod += XENFB_OUT_RING_LEN + 1;
    g_assert_cmpint(displayFbRingTake(&ring, &event), ==, DISPLAY_RING_BROKEN);
    page->out_prod = ring.outCons - 1;
    g_assert_cmpint(displayFbRingTake(&ring, &event), ==, DISPLAY_RING_BROKEN);
}

static void
testKbdRing(void)
{
    g_autofree struct xenkbd_page *page = g_malloc0(DISPLAY_PAGE_SIZE);
    union xenkbd_in_event event = {.type = XENKBD_TYPE_KEY};
    DisplayKbdRing ring;

    displayKbdRingInit(&ring, page);
    page->in_prod = 99; /* not the frontend's to say */
    for (guint i = 0; i < XENKBD_IN_RING_LEN; i++) {
        g_assert_cmpint(displayKbdRingPush(&ring, &event), ==, DISPLAY_RING_OK);
    }
    g_assert_cmpuint(page->in_prod, ==, XENKBD_IN_RING_LEN);
    g_assert_cmpint(displayKbdRingPush(&ring, &event), ==, DISPLAY_RING_NONE);
    page->in_cons++;
    g_assert_cmpint(displayKbdRingPush(&ring, &event), ==, DISPLAY_RING_OK);
    page->in_cons = ring.inProd + 1;
    g_assert_cmpint(displayKbdRingPush(&ring, &event), ==, DISPLAY_RING_BROKEN);
}

static void
testDirty(void)
{
    g_autofree DisplayDirty *dirty = g_new0(DisplayDirty, 1);
    uint32_t first;
    uint32_t behind;

    displayDirtyReset(dirty, 100, 40);
    g_assert_cmpuint(dirty->count, ==, 3);
    for (uint32_t band = 0; band < 3; band++) {
        g_assert_true(displayDirtyTake(dirty, band, &first, &behind));
        g_assert_cmpuint(first, ==, 0);
        g_assert_cmpuint(behind, ==, 100);
    }
    displayDirtyAdd(dirty, 10, 17, 5, 1);
    displayDirtyAdd(dirty, 90, 20, 100, 1);
    g_assert_cmpuint(dirty->count, ==, 1);
    g_assert_true(displayDirtyTake(dirty, 1, &first, &behind));
    g_assert_cmpuint(first, ==, 10);
    g_assert_cmpuint(behind, ==, 100);
    for (int32_t edge = -2; edge <= 2; edge++) {
        displayDirtyAdd(dirty, INT32_MAX + MIN(edge, 0), 0, INT32_MAX, INT32_MAX);
        displayDirtyAdd(dirty, INT32_MIN, edge, INT32_MAX, 1);
        displayDirtyAdd(dirty, 0, 40, 100, 1);
        displayDirtyAdd(dirty, 0, 0, -1, 10);
        displayDirtyAdd(dirty, 0, 0, 10, 0);
    }
    g_assert_cmpuint(dirty->count, ==, 0);
    displayDirtyAdd(dirty, -5, INT32_MIN, 10, INT32_MAX);
    g_assert_cmpuint(dirty->count, ==, 0);
    displayDirtyAdd(dirty, INT32_MIN / 2, INT32_MIN / 2, INT32_MAX, INT32_MAX);
    g_assert_cmpuint(dirty->count, ==, 3);
}

static DisplayRfbVerdict
look(const char *data, gsize have, bool updating, uint64_t *length)
{
    return displayRfbLook(DISPLAY_RFB_NORMAL, (const uint8_t *)data, have, updating, length);
}

static void
testRfb(void)
{
    static const struct {
        char data[9];
        gsize whole; /* bytes of the message; 0: refused at once */
    } rows[] = {
        {"\0", 20},
        {"\2\0\0\2", 12},
        {"\3", 10},
        {"\4", 8},
        {"\5", 6},
        {"\xff\0", 12},
        {"\xff\1", 0},
        {"\1", 0},
        {"\7", 0},
        {"\x0f", 0},
        {"\x96", 0},
        {"\xfa", 0},
        {"\xf8", 0},
        {"\2\0\1\1", 0},
        {"\xfb\0\0\0\0\0\x11\0", 0},
        {"\xfb\0\0\0\0\0\1\0", 24},
    };
    char data[64];
    uint64_t length = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        memset(data, 0, sizeof(data));
        memcpy(data, rows[i].data, sizeof(rows[i].data));
        if (rows[i].whole == 0) {
            g_assert_cmpint(look(data, sizeof(data), false, &length), ==, DISPLAY_RFB_REFUSE);
            continue;
        }
        for (gsize have = 1; have < sizeof(data); have++) {
            g_assert_cmpint(look(data, have, false, &length), ==,
                            have < rows[i].whole ? DISPLAY_RFB_WAIT : DISPLAY_RFB_PASS);
        }
    }
    g_assert_cmpint(look("\0", 1, true, &length), ==, DISPLAY_RFB_HOLD);
    g_assert_cmpint(look("\2\0\0\1", 4, true, &length), ==, DISPLAY_RFB_HOLD);
    g_assert_cmpint(look("\6\0\0\0\0\0\1\0", 7, false, &length), ==, DISPLAY_RFB_WAIT);
    g_assert_cmpint(look("\6\0\0\0\0\0\1\0", 8, false, &length), ==, DISPLAY_RFB_SKIP);
    g_assert_cmpuint(length, ==, 8 + 256);
    g_assert_cmpint(look("\6\0\0\0\xff\xff\xff\xf0", 8, false, &length), ==, DISPLAY_RFB_SKIP);
    g_assert_cmpuint(length, ==, 8 + 16);
    g_assert_cmpint(look("\6\0\0\0\x80\0\0\0", 8, false, &length), ==, DISPLAY_RFB_REFUSE);
}

static void
testKeys(void)
{
    g_assert_cmpuint(displayKeyOfKeysym('a'), ==, KEY_A);
    g_assert_cmpuint(displayKeyOfKeysym('Z'), ==, KEY_Z);
    g_assert_cmpuint(displayKeyOfKeysym('~'), ==, KEY_GRAVE);
    g_assert_cmpuint(displayKeyOfKeysym(' '), ==, KEY_SPACE);
    g_assert_cmpuint(displayKeyOfKeysym(0xffc9), ==, KEY_F12);
    g_assert_cmpuint(displayKeyOfKeysym(0xfe03), ==, KEY_RIGHTALT);
    g_assert_cmpuint(displayKeyOfKeysym(0x7f), ==, 0);
    g_assert_cmpuint(displayKeyOfKeysym(UINT32_MAX), ==, 0);
    g_assert_cmpuint(displayKeyOfScancode(0x1e), ==, KEY_A);
    g_assert_cmpuint(displayKeyOfScancode(0x53), ==, KEY_KPDOT);
    g_assert_cmpuint(displayKeyOfScancode(0x57), ==, KEY_F11);
    g_assert_cmpuint(displayKeyOfScancode(0xd3), ==, KEY_DELETE);
    g_assert_cmpuint(displayKeyOfScancode(0x7f), ==, 0);
    g_assert_cmpuint(displayKeyOfScancode(UINT32_MAX), ==, 0);
    for (uint32_t i = 0; i < 0x10000; i++) {
        g_assert_cmpuint(displayKeyOfKeysym(i), <, DISPLAY_KEYS);
        g_assert_cmpuint(displayKeyOfScancode(i), <, DISPLAY_KEYS);
    }
}

static void
testMessages(void)
{
    DisplayRequest request = {.type = DISPLAY_REQUEST_KEY, .value = 30};
    DisplayReply reply = {.type = DISPLAY_REPLY_VIEWER_CONNECTED, .host = "::1", .service = "5900"};
    DisplayRequest requestOut;
    DisplayReply replyOut;

    g_assert_true(displayRequestParse(&request, sizeof(request), &requestOut));
    g_assert_false(displayRequestParse(&request, sizeof(request) - 1, &requestOut));
    request.value = DISPLAY_KEYS;
    g_assert_false(displayRequestParse(&request, sizeof(request), &requestOut));
    request.value = 1;
    memset(request.text, 'x', sizeof(request.text));
    g_assert_false(displayRequestParse(&request, sizeof(request), &requestOut));
    g_assert_true(displayReplyParse(&reply, sizeof(reply), &replyOut));
    reply.host[0] = '\n';
    g_assert_false(displayReplyParse(&reply, sizeof(reply), &replyOut));
    memset(reply.host, 'x', sizeof(reply.host));
    g_assert_false(displayReplyParse(&reply, sizeof(reply), &replyOut));
    reply.host[0] = '\0';
    reply.listener = DISPLAY_LISTENER_NONE + 1;
    g_assert_false(displayReplyParse(&reply, sizeof(reply), &replyOut));
    reply.listener = 0;
    reply.family = DISPLAY_FAMILIES;
    g_assert_false(displayReplyParse(&reply, sizeof(reply), &replyOut));
}

static void
countTile(uint32_t x, uint32_t y, uint32_t width, uint32_t height, void *opaque)
{
    guint *count = opaque;

    g_assert_cmpuint(x + width, <=, 100);
    g_assert_cmpuint(y + height, <=, 20);
    *count += width * height;
}

static void
testPicture(void)
{
    DisplayGeometry geometry = {.width = 100, .height = 20, .stride = 200, .depth = 16};
    g_autofree guint8 *source = g_malloc(200 * 20); /* ends where the picture ends */
    DisplayPicture picture = {0};
    guint count = 0;

    memset(source, 0xff, 200 * 20);
    g_assert_true(displayPictureResize(&picture, 100, 20));
    displayPictureCopy(&picture, source, &geometry, 16, 4, 0, 100, countTile, &count);
    g_assert_cmpuint(count, ==, 400);
    g_assert_cmphex(picture.pixels[16 * 100], ==, 0xffffff);
    g_assert_cmphex(picture.pixels[16 * 100 - 1], ==, 0);
    displayPictureCopy(&picture, source, &geometry, 16, 4, 0, 100, countTile, &count);
    g_assert_cmpuint(count, ==, 400); /* nothing changed */
    source[19 * 200] = 0;
    displayPictureCopy(&picture, source, &geometry, 16, 4, 0, 100, countTile, &count);
    g_assert_cmpuint(count, ==, 464); /* a row of a tile */
    displayPictureForget(&picture);
    g_assert_cmphex(picture.pixels[19 * 100 + 99], ==, 0);
    displayPictureFree(&picture);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/display-check/geometry", testGeometry);
    g_test_add_func("/display-check/directories", testDirectories);
    g_test_add_func("/display-check/fb-ring", testFbRing);
    g_test_add_func("/display-check/kbd-ring", testKbdRing);
    g_test_add_func("/display-check/dirty", testDirty);
    g_test_add_func("/display-check/rfb", testRfb);
    g_test_add_func("/display-check/keys", testKeys);
    g_test_add_func("/display-check/messages", testMessages);
    g_test_add_func("/display-check/picture", testPicture);
    return g_test_run();
}
