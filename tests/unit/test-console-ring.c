/*
 * Tests of the console ring, the backlog and the worker's messages
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The frontend is played by writing into the page, as a stubdomain would, in
 * order and out of it.
 */

#include <string.h>

#include <glib.h>

#include "console_ring.h"
#include "console_worker_backlog.h"
#include "console_worker_message.h"

static void
frontendWrite(struct xencons_interface *page, const char *text)
{
    for (; *text; text++) {
        page->out[MASK_XENCONS_IDX(page->out_prod, page->out)] = *text;
        page->out_prod++;
    }
}

static void
testPeekConsume(void)
{
    struct xencons_interface page = {0};
    ConsoleRing ring;
    char data[64];
    size_t length;

    consoleRingInit(&ring, &page);
    g_assert_cmpint(consoleRingPeek(&ring, data, sizeof(data), &length), ==, CONSOLE_RING_OK);
    g_assert_cmpuint(length, ==, 0);
    frontendWrite(&page, "hello");
    g_assert_cmpint(consoleRingPeek(&ring, data, 3, &length), ==, CONSOLE_RING_OK);
    g_assert_cmpmem(data, length, "hel", 3);
    g_assert_cmpuint(page.out_cons, ==, 0);
    consoleRingConsume(&ring, 2);
    g_assert_cmpuint(page.out_cons, ==, 2);
    g_assert_cmpint(consoleRingPeek(&ring, data, sizeof(data), &length), ==, CONSOLE_RING_OK);
    g_assert_cmpmem(data, length, "llo", 3);
}

/* Indices are free-running 32-bit numbers: cross the end of the ring and of the number at once. */
static void
testWrap(void)
{
    struct xencons_interface page = {.out_cons = UINT32_MAX - 2, .out_prod = UINT32_MAX - 2};
    ConsoleRing ring;
    char data[CONSOLE_RING_OUT_SIZE];
    size_t length;

    consoleRingInit(&ring, &page);
    frontendWrite(&page, "abcdef");
    g_assert_cmpuint(page.out_prod, ==, 3);
    g_assert_cmpint(consoleRingPeek(&ring, data, sizeof(data), &length), ==, CONSOLE_RING_OK);
    g_assert_cmpmem(data, length, "abcdef", 6);
    consoleRingConsume(&ring, length);
    g_assert_cmpuint(page.out_cons, ==, 3);
}

static void
testFull(void)
{
    struct xencons_interface page = {.out_cons = 100, .out_prod = 100 + CONSOLE_RING_OUT_SIZE};
    ConsoleRing ring;
    char data[CONSOLE_RING_OUT_SIZE + 16];
    size_t length;

    memset(page.out, 'x', sizeof(page.out));
    consoleRingInit(&ring, &page);
    g_assert_cmpint(consoleRingPeek(&ring, data, sizeof(data), &length), ==, CONSOLE_RING_OK);
    g_assert_cmpuint(length, ==, CONSOLE_RING_OUT_SIZE);
}

static void
testBroken(void)
{
    static const XENCONS_RING_IDX distances[] = {CONSOLE_RING_OUT_SIZE + 1, 4096, 0x7fffffff, 0x80000000, UINT32_MAX};

    for (gsize i = 0; i < G_N_ELEMENTS(distances); i++) {
        struct xencons_interface page = {.out_cons = 7, .out_prod = 7 + distances[i]};
        ConsoleRing ring;
        char data[CONSOLE_RING_OUT_SIZE];
        size_t length = 1;

        consoleRingInit(&ring, &page);
        g_assert_cmpint(consoleRingPeek(&ring, data, sizeof(data), &length), ==, CONSOLE_RING_BROKEN);
        g_assert_cmpuint(length, ==, 0);
        page.in_prod = 3;
        consoleRingInit(&ring, &page);
        page.in_cons = 3 - distances[i];
        g_assert_cmpint(consoleRingSpace(&ring, &length), ==, CONSOLE_RING_BROKEN);
        g_assert_cmpuint(length, ==, 0);
    }
}

/* What the stubdomain does to the backend's own indices changes nothing. */
static void
testOwnIndices(void)
{
    struct xencons_interface page = {0};
    ConsoleRing ring;
    char data[8];
    size_t length;

    consoleRingInit(&ring, &page);
    frontendWrite(&page, "ab");
    page.out_cons = 0x12345678;
    page.in_prod = 0x87654321;
    g_assert_cmpint(consoleRingPeek(&ring, data, sizeof(data), &length), ==, CONSOLE_RING_OK);
    g_assert_cmpmem(data, length, "ab", 2);
    consoleRingConsume(&ring, 2);
    g_assert_cmpuint(page.out_cons, ==, 2);
    g_assert_cmpint(consoleRingSpace(&ring, &length), ==, CONSOLE_RING_OK);
    g_assert_cmpuint(length, ==, CONSOLE_RING_IN_SIZE);
    consoleRingPush(&ring, "z", 1);
    g_assert_cmpuint(page.in_prod, ==, 1);
    g_assert_true(page.in[0] == 'z');
}

static void
testPush(void)
{
    struct xencons_interface page = {.in_cons = CONSOLE_RING_IN_SIZE - 2, .in_prod = CONSOLE_RING_IN_SIZE - 2};
    ConsoleRing ring;
    char big[CONSOLE_RING_IN_SIZE];
    size_t length;

    consoleRingInit(&ring, &page);
    consoleRingPush(&ring, "wxyz", 4);
    g_assert_true(page.in[CONSOLE_RING_IN_SIZE - 1] == 'x');
    g_assert_true(page.in[0] == 'y');
    g_assert_true(page.in[1] == 'z');
    g_assert_cmpint(consoleRingSpace(&ring, &length), ==, CONSOLE_RING_OK);
    g_assert_cmpuint(length, ==, CONSOLE_RING_IN_SIZE - 4);
    memset(big, 'b', sizeof(big));
    consoleRingPush(&ring, big, length);
    g_assert_cmpint(consoleRingSpace(&ring, &length), ==, CONSOLE_RING_OK);
    g_assert_cmpuint(length, ==, 0);
    g_assert_true(page.in[CONSOLE_RING_IN_SIZE - 1] == 'x');
}

static void
testBacklog(void)
{
    g_autofree ConsoleBacklog *backlog = g_new0(ConsoleBacklog, 1);
    g_autofree char *big = g_malloc(CONSOLE_BACKLOG_SIZE + 5);
    const char *data;
    size_t length;

    consoleBacklogPeek(backlog, &length);
    g_assert_cmpuint(length, ==, 0);
    consoleBacklogAdd(backlog, "12345", 5);
    consoleBacklogConsume(backlog, 2);
    data = consoleBacklogPeek(backlog, &length);
    g_assert_cmpmem(data, length, "345", 3);
    memset(big, 'n', CONSOLE_BACKLOG_SIZE);
    consoleBacklogAdd(backlog, big, CONSOLE_BACKLOG_SIZE - 1);
    g_assert_cmpuint(backlog->dropped, ==, 2);
    g_assert_cmpuint(backlog->length, ==, CONSOLE_BACKLOG_SIZE);
    data = consoleBacklogPeek(backlog, &length);
    g_assert_true(data[0] == '5');
    consoleBacklogConsume(backlog, length);
    g_assert_cmpuint(backlog->length, ==, 4);
    for (guint i = 0; i < 5; i++) {
        big[CONSOLE_BACKLOG_SIZE + i] = "fghij"[i];
    }
    consoleBacklogAdd(backlog, big, CONSOLE_BACKLOG_SIZE + 5);
    g_assert_cmpuint(backlog->length, ==, CONSOLE_BACKLOG_SIZE);
    g_assert_cmpuint(backlog->dropped, ==, 2 + 4 + 5);
    consoleBacklogConsume(backlog, CONSOLE_BACKLOG_SIZE - 1);
    data = consoleBacklogPeek(backlog, &length);
    g_assert_cmpmem(data, length, "j", 1);
    consoleBacklogConsume(backlog, 100);
    g_assert_cmpuint(backlog->length, ==, 0);
}

static void
testRequests(void)
{
    static const struct {
        ConsoleRequest request;
        gboolean valid;
    } rows[] = {
        {{.type = CONSOLE_REQUEST_CONNECT, .console = 1, .ref = 8, .port = 12}, TRUE},
        {{.type = CONSOLE_REQUEST_CONNECT, .console = CONSOLE_NUMBER_MAX}, TRUE},
        {{.type = CONSOLE_REQUEST_PEER, .console = 3, .flags = CONSOLE_PEER_FLAGS, .limit = 1}, TRUE},
        {{.type = CONSOLE_REQUEST_DRAIN, .console = 1}, TRUE},
        {{.type = 0, .console = 1}, FALSE},
        {{.type = CONSOLE_REQUEST_LAST, .console = 1}, FALSE},
        {{.type = CONSOLE_REQUEST_DRAIN, .console = 0}, FALSE},
        {{.type = CONSOLE_REQUEST_DRAIN, .console = CONSOLE_NUMBER_MAX + 1}, FALSE},
        {{.type = CONSOLE_REQUEST_DRAIN, .console = UINT32_MAX}, FALSE},
        {{.type = CONSOLE_REQUEST_DRAIN, .console = 1, .port = 1}, FALSE},
        {{.type = CONSOLE_REQUEST_DISCONNECT, .console = 1, .ref = 1}, FALSE},
        {{.type = CONSOLE_REQUEST_CONNECT, .console = 1, .limit = 1}, FALSE},
        {{.type = CONSOLE_REQUEST_PEER, .console = 1, .flags = 8}, FALSE},
    };
    ConsoleRequest out;

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_assert_cmpint(consoleRequestParse(&rows[i].request, sizeof(rows[i].request), &out), ==, rows[i].valid);
    }
    g_assert_false(consoleRequestParse(&rows[0].request, sizeof(rows[0].request) - 1, &out));
    g_assert_false(consoleRequestParse(&rows[0].request, 0, &out));
}

static void
testReplies(void)
{
    ConsoleReply reply = {.type = CONSOLE_REPLY_DRAINED, .console = 1, .error = 28};
    ConsoleReply out;

    g_assert_true(consoleReplyParse(&reply, sizeof(reply), &out));
    g_assert_cmpint(out.error, ==, 28);
    g_assert_false(consoleReplyParse(&reply, sizeof(reply) - 1, &out));
    reply.error = -1;
    g_assert_false(consoleReplyParse(&reply, sizeof(reply), &out));
    reply.error = 0;
    reply.console = 0;
    g_assert_false(consoleReplyParse(&reply, sizeof(reply), &out));
    reply.console = 1;
    reply.type = CONSOLE_REPLY_LAST;
    g_assert_false(consoleReplyParse(&reply, sizeof(reply), &out));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/console-ring/peek-consume", testPeekConsume);
    g_test_add_func("/console-ring/wrap", testWrap);
    g_test_add_func("/console-ring/full", testFull);
    g_test_add_func("/console-ring/broken", testBroken);
    g_test_add_func("/console-ring/own-indices", testOwnIndices);
    g_test_add_func("/console-ring/push", testPush);
    g_test_add_func("/console-backlog", testBacklog);
    g_test_add_func("/console-message/requests", testRequests);
    g_test_add_func("/console-message/replies", testReplies);
    return g_test_run();
}
