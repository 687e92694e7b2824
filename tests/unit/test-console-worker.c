/*
 * Tests of one console in the console worker
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The worker's own code with a page of this process as the stubdomain's, and
 * the few functions of libxengnttab and libxenevtchn it uses defined here, so
 * that each step is made by the test and nothing is timed.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "console_worker_console.h"

#define STUBDOMAIN 7
#define GRANT 42
#define REMOTE_PORT 9
#define LOCAL_PORT 33

/* What the fake libraries saw and are to do. */
static struct {
    struct xencons_interface *page;
    int mapped;
    int bound;
    int notified;
    int mapErrno;
    int bindErrno;
} fakeXen;

void *
xengnttab_map_grant_ref(xengnttab_handle *xgt, uint32_t domid, uint32_t ref, int prot)
{
    g_assert_cmpuint(domid, ==, STUBDOMAIN);
    g_assert_cmpuint(ref, ==, GRANT);
    if (fakeXen.mapErrno) {
        errno = fakeXen.mapErrno;
        return NULL;
    }
    fakeXen.mapped++;
    return fakeXen.page;
}

int
xengnttab_unmap(xengnttab_handle *xgt, void *start, uint32_t count)
{
    g_assert_true(start == fakeXen.page);
    g_assert_cmpuint(count, ==, 1);
    fakeXen.mapped--;
    return 0;
}

xenevtchn_port_or_error_t
xenevtchn_bind_interdomain(xenevtchn_handle *xce, uint32_t domid, evtchn_port_t port)
{
    g_assert_cmpuint(domid, ==, STUBDOMAIN);
    g_assert_cmpuint(port, ==, REMOTE_PORT);
    if (fakeXen.bindErrno) {
        errno = fakeXen.bindErrno;
        return -1;
    }
    fakeXen.bound++;
    return LOCAL_PORT;
}

int
xenevtchn_unbind(xenevtchn_handle *xce, evtchn_port_t port)
{
    g_assert_cmpuint(port, ==, LOCAL_PORT);
    fakeXen.bound--;
    return 0;
}

int
xenevtchn_notify(xenevtchn_handle *xce, evtchn_port_t port)
{
    g_assert_cmpuint(port, ==, LOCAL_PORT);
    fakeXen.notified++;
    return 0;
}

/* All replies since the fixture was made. */
static GArray *replies;

static void
keepReply(const ConsoleReply *reply)
{
    g_array_append_val(replies, *reply);
}

typedef struct {
    WorkerXen xen;
    WorkerConsole console;
    struct xencons_interface page;
    guint32 generation;
    guint seen; /* replies looked at */
} Fixture;

/* What a peer takes at a time, 0: all. */
static gsize writeMax;

ssize_t
write(int fd, const void *data, size_t length)
{
    return syscall(SYS_write, fd, data, writeMax && length > writeMax ? writeMax : length);
}

static void
setUp(Fixture *fixture, gconstpointer data)
{
    memset(&fakeXen, 0, sizeof(fakeXen));
    fakeXen.page = &fixture->page;
    fixture->xen = (WorkerXen){.stubdomain = STUBDOMAIN, .reply = keepReply};
    workerConsoleInit(&fixture->console, &fixture->xen, 3);
    replies = g_array_new(FALSE, TRUE, sizeof(ConsoleReply));
}

/* Every test ends with all replies expected, and nothing mapped or open. */
static void
tearDown(Fixture *fixture, gconstpointer data)
{
    ConsoleRequest peer = {.type = CONSOLE_REQUEST_PEER};
    ConsoleRequest end = {.type = CONSOLE_REQUEST_DISCONNECT};

    g_assert_cmpuint(replies->len, ==, fixture->seen);
    workerConsoleRequest(&fixture->console, &peer, -1);
    workerConsoleRequest(&fixture->console, &end, -1);
    g_assert_cmpint(fakeXen.mapped, ==, 0);
    g_assert_cmpint(fakeXen.bound, ==, 0);
    g_array_unref(replies);
}

static guint32
request(Fixture *fixture, ConsoleRequestType type)
{
    ConsoleRequest message = {.type = type, .console = 3, .generation = ++fixture->generation};

    if (type == CONSOLE_REQUEST_CONNECT) {
        message.ref = GRANT;
        message.port = REMOTE_PORT;
    }
    workerConsoleRequest(&fixture->console, &message, -1);
    return message.generation;
}

static guint32
setPeer(Fixture *fixture, int fd, guint32 flags, guint64 limit)
{
    ConsoleRequest message = {.type = CONSOLE_REQUEST_PEER,
                              .console = 3,
                              .generation = ++fixture->generation,
                              .flags = flags,
                              .limit = limit};

    workerConsoleRequest(&fixture->console, &message, fd);
    return message.generation;
}

static const ConsoleReply *
expectReply(Fixture *fixture, ConsoleReplyType type, guint32 generation, int error)
{
    const ConsoleReply *reply;

    g_assert_cmpuint(replies->len, >, fixture->seen);
    reply = &g_array_index(replies, ConsoleReply, fixture->seen++);
    g_assert_cmpuint(reply->type, ==, type);
    g_assert_cmpuint(reply->console, ==, 3);
    g_assert_cmpuint(reply->generation, ==, generation);
    g_assert_cmpint(reply->error, ==, error);
    return reply;
}

static void
connectFrontend(Fixture *fixture)
{
    guint32 generation = request(fixture, CONSOLE_REQUEST_CONNECT);

    expectReply(fixture, CONSOLE_REPLY_CONNECTED, generation, 0);
    g_assert_cmpint(fakeXen.mapped, ==, 1);
    g_assert_cmpint(fakeXen.bound, ==, 1);
}

static gsize
frontendWrite(Fixture *fixture, const char *data, gsize length)
{
    struct xencons_interface *page = &fixture->page;
    gsize room = sizeof(page->out) - (page->out_prod - page->out_cons);

    length = MIN(length, room);
    for (gsize i = 0; i < length; i++) {
        page->out[MASK_XENCONS_IDX(page->out_prod + i, page->out)] = data[i];
    }
    page->out_prod += (XENCONS_RING_IDX)length;
    return length;
}

static gsize
frontendRead(Fixture *fixture, char *data)
{
    struct xencons_interface *page = &fixture->page;
    gsize length = page->in_prod - page->in_cons;

    for (gsize i = 0; i < length; i++) {
        data[i] = page->in[MASK_XENCONS_IDX(page->in_cons + i, page->in)];
    }
    page->in_cons = page->in_prod;
    return length;
}

static void
makeSocket(int fds[2])
{
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), ==, 0);
}

static void
testBothWays(Fixture *fixture, gconstpointer data)
{
    char bytes[CONSOLE_RING_IN_SIZE];
    int fds[2];

    makeSocket(fds);
    setPeer(fixture, fds[0], CONSOLE_PEER_READ | CONSOLE_PEER_WRITE, 0);
    g_assert_cmpint(workerConsoleInterest(&fixture->console), ==, 0);
    frontendWrite(fixture, "early", 5);
    connectFrontend(fixture);
    g_assert_cmpint(fakeXen.notified, ==, 1);
    frontendWrite(fixture, " late", 5);
    workerConsolePump(&fixture->console);
    g_assert_cmpint(read(fds[1], bytes, sizeof(bytes)), ==, 10);
    g_assert_cmpmem(bytes, 10, "early late", 10);
    g_assert_cmpuint(fixture->page.out_cons, ==, 10);
    g_assert_cmpint(workerConsoleInterest(&fixture->console), ==, POLLIN);
    g_assert_cmpint(write(fds[1], "key", 3), ==, 3);
    workerConsoleReady(&fixture->console, POLLIN);
    g_assert_cmpint(fakeXen.notified, ==, 3);
    g_assert_cmpuint(frontendRead(fixture, bytes), ==, 3);
    g_assert_cmpmem(bytes, 3, "key", 3);
    close(fds[1]);
}

/* No peer: the stubdomain does not wait, and its bytes are gone. */
static void
testNoPeer(Fixture *fixture, gconstpointer data)
{
    static const char bytes[CONSOLE_RING_OUT_SIZE];

    connectFrontend(fixture);
    frontendWrite(fixture, bytes, CONSOLE_RING_OUT_SIZE);
    workerConsolePump(&fixture->console);
    g_assert_cmpuint(fixture->page.out_cons, ==, fixture->page.out_prod);
    g_assert_false(fixture->console.more);
}

/* A peer that does not read: bytes stay in the ring, in order, none lost. */
static void
testBackPressure(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GByteArray) received = g_byte_array_new();
    gsize sent = 0;
    char bytes[4096];
    int fds[2];

    makeSocket(fds);
    setPeer(fixture, fds[0], CONSOLE_PEER_READ | CONSOLE_PEER_WRITE, 0);
    connectFrontend(fixture);
    do {
        char byte = (char)(sent % 251);

        if (frontendWrite(fixture, &byte, 1)) {
            sent++;
        }
        workerConsolePump(&fixture->console);
    } while (!fixture->console.blocked || fixture->page.out_prod - fixture->page.out_cons < CONSOLE_RING_OUT_SIZE);
    g_assert_cmpint(workerConsoleInterest(&fixture->console), ==, POLLIN | POLLOUT);
    while (received->len < sent) {
        gssize count = read(fds[1], bytes, sizeof(bytes));

        if (count > 0) {
            g_byte_array_append(received, (guint8 *)bytes, (guint)count);
        }
        workerConsoleReady(&fixture->console, POLLOUT);
    }
    for (gsize i = 0; i < sent; i++) {
        g_assert_cmpuint(received->data[i], ==, i % 251);
    }
    g_assert_cmpint(workerConsoleInterest(&fixture->console), ==, POLLIN);
    close(fds[1]);
}

/* A tty that nobody reads: the stubdomain goes on, the latest bytes are kept. */
static void
testLossy(Fixture *fixture, gconstpointer data)
{
    static char last[CONSOLE_RING_OUT_SIZE];
    static char bytes[CONSOLE_BACKLOG_SIZE];
    char end[4] = {0};
    int fds[2];
    gssize count;

    memset(last, 'z', CONSOLE_RING_OUT_SIZE);
    makeSocket(fds);
    setPeer(fixture, fds[0], CONSOLE_PEER_READ | CONSOLE_PEER_WRITE | CONSOLE_PEER_LOSSY, 0);
    connectFrontend(fixture);
    for (guint i = 0; i < 1000; i++) {
        g_assert_cmpuint(frontendWrite(fixture, last, CONSOLE_RING_OUT_SIZE), ==, CONSOLE_RING_OUT_SIZE);
        workerConsolePump(&fixture->console);
    }
    frontendWrite(fixture, "end", 3);
    workerConsolePump(&fixture->console);
    g_assert_cmpuint(fixture->console.backlog->length, ==, CONSOLE_BACKLOG_SIZE);
    g_assert_cmpuint(fixture->console.backlog->dropped, >, 0);
    g_assert_cmpint(workerConsoleInterest(&fixture->console), ==, POLLIN | POLLOUT);
    while ((count = read(fds[1], bytes, CONSOLE_BACKLOG_SIZE)) > 0) {
        if (count >= 3) {
            memcpy(end, bytes + count - 3, 3);
        }
        workerConsoleReady(&fixture->console, POLLOUT);
    }
    g_assert_cmpstr(end, ==, "end");
    g_assert_cmpint(workerConsoleInterest(&fixture->console), ==, POLLIN);
    close(fds[1]);
}

static void
testLimit(Fixture *fixture, gconstpointer data)
{
    guint32 peer;
    guint32 drain;
    char bytes[64];
    int fds[2];

    makeSocket(fds);
    peer = setPeer(fixture, fds[0], CONSOLE_PEER_WRITE, 10);
    connectFrontend(fixture);
    frontendWrite(fixture, "0123456789", 10);
    workerConsolePump(&fixture->console);
    g_assert_cmpuint(replies->len, ==, fixture->seen);
    frontendWrite(fixture, "too much", 8);
    workerConsolePump(&fixture->console);
    expectReply(fixture, CONSOLE_REPLY_LIMIT, peer, 0);
    frontendWrite(fixture, "and more", 8);
    workerConsolePump(&fixture->console);
    g_assert_cmpint(read(fds[1], bytes, sizeof(bytes)), ==, 10);
    drain = request(fixture, CONSOLE_REQUEST_DRAIN);
    g_assert_cmpuint(expectReply(fixture, CONSOLE_REPLY_DRAINED, drain, 0)->fromStubdomain, ==, 10);
    close(fds[1]);
    /* A new peer has the whole limit again. */
    makeSocket(fds);
    setPeer(fixture, fds[0], CONSOLE_PEER_WRITE, 10);
    frontendWrite(fixture, "fresh", 5);
    workerConsolePump(&fixture->console);
    g_assert_cmpint(read(fds[1], bytes, sizeof(bytes)), ==, 5);
    close(fds[1]);
}

/* The limit falls into the middle of what the ring holds. */
static void
testLimitInside(Fixture *fixture, gconstpointer data)
{
    guint32 peer;
    char bytes[64];
    int fds[2];

    makeSocket(fds);
    peer = setPeer(fixture, fds[0], CONSOLE_PEER_WRITE, 4);
    frontendWrite(fixture, "abcdefgh", 8);
    connectFrontend(fixture);
    expectReply(fixture, CONSOLE_REPLY_LIMIT, peer, 0);
    g_assert_cmpint(read(fds[1], bytes, sizeof(bytes)), ==, 4);
    g_assert_cmpmem(bytes, 4, "abcd", 4);
    g_assert_cmpuint(fixture->page.out_cons, ==, 8);
    close(fds[1]);
}

static void
testDrainWaits(Fixture *fixture, gconstpointer data)
{
    g_autofree char *bytes = g_malloc0(1 << 20);
    guint32 drain;
    int fds[2];

    makeSocket(fds);
    setPeer(fixture, fds[0], CONSOLE_PEER_WRITE, 0);
    connectFrontend(fixture);
    while (!fixture->console.blocked) {
        frontendWrite(fixture, bytes, CONSOLE_RING_OUT_SIZE);
        workerConsolePump(&fixture->console);
    }
    drain = request(fixture, CONSOLE_REQUEST_DRAIN);
    g_assert_cmpuint(replies->len, ==, fixture->seen);
    while (replies->len == fixture->seen) {
        g_assert_cmpint(read(fds[1], bytes, 1 << 20), >, 0);
        workerConsoleReady(&fixture->console, POLLOUT);
    }
    g_assert_cmpuint(expectReply(fixture, CONSOLE_REPLY_DRAINED, drain, 0)->fromStubdomain, ==, fixture->page.out_prod);
    close(fds[1]);
}

/* Disk full: the error is reported, the drain says so, the stubdomain does not hang. */
static void
testWriteError(Fixture *fixture, gconstpointer data)
{
    guint32 peer = setPeer(fixture, open("/dev/full", O_WRONLY | O_CLOEXEC), CONSOLE_PEER_WRITE, 0);
    guint32 drain;

    connectFrontend(fixture);
    frontendWrite(fixture, "state", 5);
    workerConsolePump(&fixture->console);
    expectReply(fixture, CONSOLE_REPLY_PEER_CLOSED, peer, ENOSPC);
    g_assert_cmpuint(fixture->page.out_cons, ==, 5);
    drain = request(fixture, CONSOLE_REQUEST_DRAIN);
    g_assert_cmpuint(expectReply(fixture, CONSOLE_REPLY_DRAINED, drain, ENOSPC)->fromStubdomain, ==, 0);
}

static void
testPeerEof(Fixture *fixture, gconstpointer data)
{
    guint32 peer;
    int fds[2];

    makeSocket(fds);
    peer = setPeer(fixture, fds[0], CONSOLE_PEER_READ | CONSOLE_PEER_WRITE, 0);
    connectFrontend(fixture);
    close(fds[1]);
    workerConsoleReady(&fixture->console, POLLIN | POLLHUP);
    expectReply(fixture, CONSOLE_REPLY_PEER_CLOSED, peer, 0);
    g_assert_cmpint(workerConsoleInterest(&fixture->console), ==, 0);
}

/* A state file longer than the ring is fed as the stubdomain reads. */
static void
testFeedFile(Fixture *fixture, gconstpointer data)
{
    g_autofree char *path = NULL;
    g_autofree char *state = g_malloc(5000);
    g_autoptr(GByteArray) received = g_byte_array_new();
    char bytes[CONSOLE_RING_IN_SIZE];
    guint32 peer;
    int fd = g_file_open_tmp("test-console-XXXXXX", &path, NULL);

    for (guint i = 0; i < 5000; i++) {
        state[i] = (char)(i % 253);
    }
    g_assert_cmpint(write(fd, state, 5000), ==, 5000);
    close(fd);
    peer = setPeer(fixture, open(path, O_RDONLY | O_CLOEXEC), CONSOLE_PEER_READ, 0);
    g_remove(path);
    connectFrontend(fixture);
    while (replies->len == fixture->seen) {
        short interest = workerConsoleInterest(&fixture->console);

        if (interest) {
            g_assert_cmpint(interest, ==, POLLIN);
            workerConsoleReady(&fixture->console, POLLIN);
        } else {
            g_byte_array_append(received, (guint8 *)bytes, (guint)frontendRead(fixture, bytes));
        }
    }
    g_byte_array_append(received, (guint8 *)bytes, (guint)frontendRead(fixture, bytes));
    g_assert_cmpmem(received->data, received->len, state, 5000);
    g_assert_cmpuint(expectReply(fixture, CONSOLE_REPLY_PEER_CLOSED, peer, 0)->toStubdomain, ==, 5000);
}

static void
testBrokenOut(Fixture *fixture, gconstpointer data)
{
    connectFrontend(fixture);
    fixture->page.out_prod = fixture->page.out_cons + CONSOLE_RING_OUT_SIZE + 1;
    workerConsolePump(&fixture->console);
    expectReply(fixture, CONSOLE_REPLY_BROKEN, fixture->console.connection, 0);
    g_assert_cmpint(fakeXen.mapped, ==, 0);
    g_assert_cmpint(fakeXen.bound, ==, 0);
    workerConsolePump(&fixture->console);
}

static void
testBrokenIn(Fixture *fixture, gconstpointer data)
{
    int fds[2];

    makeSocket(fds);
    setPeer(fixture, fds[0], CONSOLE_PEER_READ, 0);
    connectFrontend(fixture);
    fixture->page.in_cons = fixture->page.in_prod + 1;
    g_assert_cmpint(workerConsoleInterest(&fixture->console), ==, 0);
    expectReply(fixture, CONSOLE_REPLY_BROKEN, fixture->console.connection, 0);
    close(fds[1]);
}

/* A ring that does not become empty has its turn, then the other consoles have theirs. */
static void
testFair(Fixture *fixture, gconstpointer data)
{
    static const char bytes[100];

    setPeer(fixture, open("/dev/null", O_WRONLY | O_CLOEXEC), CONSOLE_PEER_WRITE, 0);
    connectFrontend(fixture);
    frontendWrite(fixture, bytes, sizeof(bytes));
    writeMax = 1;
    workerConsolePump(&fixture->console);
    writeMax = 0;
    g_assert_true(fixture->console.more);
    g_assert_false(fixture->console.blocked);
    g_assert_cmpuint(fixture->console.fromStubdomain, <, sizeof(bytes));
    workerConsolePump(&fixture->console);
    g_assert_false(fixture->console.more);
    g_assert_cmpuint(fixture->console.fromStubdomain, ==, sizeof(bytes));
}

static void
testConnectFails(Fixture *fixture, gconstpointer data)
{
    guint32 generation;

    fakeXen.mapErrno = EINVAL;
    generation = request(fixture, CONSOLE_REQUEST_CONNECT);
    expectReply(fixture, CONSOLE_REPLY_CONNECTED, generation, EINVAL);
    fakeXen.mapErrno = 0;
    fakeXen.bindErrno = EACCES;
    generation = request(fixture, CONSOLE_REQUEST_CONNECT);
    expectReply(fixture, CONSOLE_REPLY_CONNECTED, generation, EACCES);
    g_assert_cmpint(fakeXen.mapped, ==, 0);
}

/* What the ring holds when the frontend closes is not lost; MiniOS closes right after its last write. */
static void
testDisconnect(Fixture *fixture, gconstpointer data)
{
    guint32 generation;
    guint32 drain;
    char bytes[64];
    int fds[2];

    makeSocket(fds);
    setPeer(fixture, fds[0], CONSOLE_PEER_WRITE, 0);
    connectFrontend(fixture);
    frontendWrite(fixture, "last", 4);
    generation = request(fixture, CONSOLE_REQUEST_DISCONNECT);
    expectReply(fixture, CONSOLE_REPLY_DISCONNECTED, generation, 0);
    g_assert_cmpint(read(fds[1], bytes, sizeof(bytes)), ==, 4);
    g_assert_cmpint(fakeXen.mapped, ==, 0);
    drain = request(fixture, CONSOLE_REQUEST_DRAIN);
    g_assert_cmpuint(expectReply(fixture, CONSOLE_REPLY_DRAINED, drain, 0)->fromStubdomain, ==, 4);
    /* And again, on a new page. */
    memset(&fixture->page, 0, sizeof(fixture->page));
    connectFrontend(fixture);
    close(fds[1]);
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*func)(Fixture *fixture, gconstpointer data);
    } tests[] = {
        {"/console-worker/both-ways", testBothWays},
        {"/console-worker/no-peer", testNoPeer},
        {"/console-worker/back-pressure", testBackPressure},
        {"/console-worker/lossy", testLossy},
        {"/console-worker/limit", testLimit},
        {"/console-worker/limit-inside", testLimitInside},
        {"/console-worker/drain-waits", testDrainWaits},
        {"/console-worker/write-error", testWriteError},
        {"/console-worker/peer-eof", testPeerEof},
        {"/console-worker/feed-file", testFeedFile},
        {"/console-worker/broken-out", testBrokenOut},
        {"/console-worker/broken-in", testBrokenIn},
        {"/console-worker/fair", testFair},
        {"/console-worker/connect-fails", testConnectFails},
        {"/console-worker/disconnect", testDisconnect},
    };

    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_test_add(tests[i].name, Fixture, NULL, setUp, tests[i].func, tearDown);
    }
    return g_test_run();
}
