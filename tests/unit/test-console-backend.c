/*
 * Tests of the console backend's state machine
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * dm_console.c and dm_console_nodes.c with a xenstore that is a hash table and
 * a worker that only remembers what it was asked: both are defined here and
 * take the place of the real ones. Frontend and worker are played step by step.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>

#include "console_worker_message.h"
#include "dm_console.h"
#include "dm_console_worker.h"
#include "dm_error.h"
#include "dm_store.h"

#define STUBDOMAIN 5U
#define FRONTEND "/local/domain/5/device/console/1"
#define BACKEND "/local/domain/0/backend/console/5/1"
#define RECORD "/libxl/5/device/console/1"

/* --- the store ----------------------------------------------------------- */

struct _DmStore {
    GHashTable *values; /* path -> value */
    GHashTable *perms;  /* path -> "n0,r5", only where set */
    GPtrArray *watches; /* of DmStoreWatch */
};

struct _DmStoreWatch {
    DmStore *store;
    char *path;
    DmStoreWatchFunc func;
    gpointer opaque;
};

char *
dmStoreRead(DmStore *store, const char *path, gsize *length, GError **error)
{
    const char *value = g_hash_table_lookup(store->values, path);

    if (!value) {
        g_set_error(error, DM_ERROR, DM_ERROR_NOT_FOUND, "no %s", path);
        return NULL;
    }
    if (length) {
        *length = strlen(value);
    }
    return g_strdup(value);
}

gboolean
dmStoreReadNumber(DmStore *store, const char *path, guint64 max, guint64 *value, GError **error)
{
    g_autofree char *text = dmStoreRead(store, path, NULL, error);

    if (text && !g_ascii_string_to_unsigned(text, 10, 0, max, value, NULL)) {
        g_set_error(error, DM_ERROR, DM_ERROR_STUBDOMAIN, "%s is no number", path);
        return FALSE;
    }
    return text != NULL;
}

gboolean
dmStoreWrite(DmStore *store, const char *path, const char *value, GError **error)
{
    g_hash_table_replace(store->values, g_strdup(path), g_strdup(value));
    return TRUE;
}

gboolean
dmStoreMake(DmStore *store, const char *path, const char *value, guint owner, int reader, GError **error)
{
    g_hash_table_replace(store->perms, g_strdup(path), g_strdup_printf("n%u,r%d", owner, reader));
    return dmStoreWrite(store, path, value ? value : "", error);
}

static gboolean
isBelow(gpointer key, gpointer value, gpointer opaque)
{
    const char *path = opaque;

    return g_str_has_prefix(key, path) && strchr("/", ((const char *)key)[strlen(path)]);
}

gboolean
dmStoreRemove(DmStore *store, const char *path, GError **error)
{
    g_hash_table_foreach_remove(store->values, isBelow, (gpointer)path);
    return TRUE;
}

gboolean
dmStoreTransaction(DmStore *store, DmStoreBody body, gpointer opaque, GError **error)
{
    return body(store, opaque, error);
}

DmStoreWatch *
dmStoreWatch(DmStore *store, const char *path, DmStoreWatchFunc func, gpointer opaque, GError **error)
{
    DmStoreWatch *watch = g_new0(DmStoreWatch, 1);

    *watch = (DmStoreWatch){store, g_strdup(path), func, opaque};
    g_ptr_array_add(store->watches, watch);
    return watch;
}

void
dmStoreUnwatch(DmStoreWatch *watch)
{
    if (watch) {
        g_ptr_array_remove(watch->store->watches, watch);
        g_free(watch->path);
        g_free(watch);
    }
}

static void
fireWatches(DmStore *store, const char *path)
{
    for (guint i = 0; i < store->watches->len; i++) {
        DmStoreWatch *watch = g_ptr_array_index(store->watches, i);

        if (g_str_equal(watch->path, path)) {
            watch->func(path, watch->opaque);
            return;
        }
    }
}

/* --- the worker ---------------------------------------------------------- */

struct _DmConsoleWorker {
    GArray *requests;
    int fd; /* came with the last PEER */
    gboolean stuck;
    DmConsoleWorkerReplyFunc reply;
    DmConsoleWorkerDiedFunc died;
    gpointer opaque;
};

static DmConsoleWorker worker;

DmConsoleWorker *
dmConsoleWorkerStart(guint stubdomain, DmConsoleWorkerReplyFunc reply, DmConsoleWorkerDiedFunc died, gpointer opaque,
                     GError **error)
{
    g_assert_cmpuint(stubdomain, ==, STUBDOMAIN);
    worker = (DmConsoleWorker){.requests = g_array_new(FALSE, TRUE, sizeof(ConsoleRequest)),
                               .fd = -1,
                               .reply = reply,
                               .died = died,
                               .opaque = opaque};
    return &worker;
}

void
dmConsoleWorkerFree(DmConsoleWorker *freed)
{
    g_array_unref(freed->requests);
    if (freed->fd >= 0) {
        close(freed->fd);
    }
}

int
dmConsoleWorkerSocket(const DmConsoleWorker *of)
{
    return -1;
}

gboolean
dmConsoleWorkerSend(DmConsoleWorker *to, const ConsoleRequest *request, int fd, GError **error)
{
    ConsoleRequest parsed;

    g_assert_true(consoleRequestParse(request, sizeof(*request), &parsed));
    if (to->stuck) {
        g_set_error_literal(error, DM_ERROR, DM_ERROR_SYSTEM, "stuck");
        return FALSE;
    }
    g_array_append_val(to->requests, *request);
    if (fd >= 0) {
        to->fd = dup(fd);
    }
    return TRUE;
}

GPid
dmConsoleWorkerPid(const DmConsoleWorker *of)
{
    return 1;
}

/* --- the test's own side ------------------------------------------------- */

typedef struct {
    DmStore store;
    DmConsoles *consoles;
    GString *events; /* "connected " … */
    guint asked;     /* requests looked at */
    guint drains;
    guint64 drainBytes;
    GError *drainError;
} Fixture;

static void
keepEvent(DmConsoles *consoles, guint number, DmConsoleEvent event, const char *text, gpointer opaque)
{
    static const char *const names[] = {"connected", "closed", "peer-closed", "limit", "broken", "died"};
    Fixture *fixture = opaque;

    g_assert_nonnull(text);
    g_string_append_printf(fixture->events, "%s ", names[event]);
}

static void
setUp(Fixture *fixture, gconstpointer data)
{
    GError *error = NULL;

    fixture->store.values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    fixture->store.perms = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    fixture->store.watches = g_ptr_array_new();
    fixture->events = g_string_new(NULL);
    fixture->consoles = dmConsolesNew(&fixture->store, STUBDOMAIN, keepEvent, fixture, &error);
    g_assert_no_error(error);
    g_assert_true(dmConsolesAdd(fixture->consoles, 1, "pty", "/dev/pts/7", 1000, &error));
    g_assert_no_error(error);
    fireWatches(&fixture->store, FRONTEND "/state");
}

static void
tearDown(Fixture *fixture, gconstpointer data)
{
    g_assert_cmpuint(worker.requests->len, ==, fixture->asked);
    dmConsolesFree(fixture->consoles);
    g_assert_cmpuint(fixture->store.watches->len, ==, 0);
    g_ptr_array_unref(fixture->store.watches);
    g_hash_table_unref(fixture->store.values);
    g_hash_table_unref(fixture->store.perms);
    g_string_free(fixture->events, TRUE);
    g_clear_error(&fixture->drainError);
}

static void
assertNode(Fixture *fixture, const char *path, const char *value, const char *perms)
{
    g_assert_cmpstr(g_hash_table_lookup(fixture->store.values, path), ==, value);
    g_assert_cmpstr(g_hash_table_lookup(fixture->store.perms, path), ==, perms);
}

static void
assertBackend(Fixture *fixture, const char *state)
{
    g_assert_cmpstr(g_hash_table_lookup(fixture->store.values, BACKEND "/state"), ==, state);
}

static void
assertEvents(Fixture *fixture, const char *events)
{
    g_assert_cmpstr(fixture->events->str, ==, events);
    g_string_truncate(fixture->events, 0);
}

static void
frontendSays(Fixture *fixture, const char *state)
{
    if (state) {
        dmStoreWrite(&fixture->store, FRONTEND "/state", state, NULL);
    } else {
        dmStoreRemove(&fixture->store, FRONTEND, NULL);
    }
    fireWatches(&fixture->store, FRONTEND "/state");
}

static void
frontendOffers(Fixture *fixture, const char *ref, const char *port, const char *state)
{
    dmStoreWrite(&fixture->store, FRONTEND "/ring-ref", ref, NULL);
    dmStoreWrite(&fixture->store, FRONTEND "/port", port, NULL);
    frontendSays(fixture, state);
}

static const ConsoleRequest *
expectRequest(Fixture *fixture, ConsoleRequestType type)
{
    const ConsoleRequest *request;

    g_assert_cmpuint(worker.requests->len, >, fixture->asked);
    request = &g_array_index(worker.requests, ConsoleRequest, fixture->asked++);
    g_assert_cmpuint(request->type, ==, type);
    g_assert_cmpuint(request->console, ==, 1);
    return request;
}

static void
workerSays(ConsoleReplyType type, guint32 generation, int error, guint64 bytes)
{
    ConsoleReply reply = {
        .type = type, .console = 1, .generation = generation, .error = error, .fromStubdomain = bytes};

    worker.reply(&reply, worker.opaque);
}

static guint32
connectFrontend(Fixture *fixture)
{
    guint32 generation;

    frontendOffers(fixture, "9", "17", "3");
    generation = expectRequest(fixture, CONSOLE_REQUEST_CONNECT)->generation;
    workerSays(CONSOLE_REPLY_CONNECTED, generation, 0, 0);
    assertBackend(fixture, "4");
    assertEvents(fixture, "connected ");
    return generation;
}

/* libxl's own nodes and permissions (facts: libxl_console.c, libxl_device.c of Xen 4.17). */
static void
testNodes(Fixture *fixture, gconstpointer data)
{
    assertNode(fixture, FRONTEND, "", "n5,r0");
    assertNode(fixture, FRONTEND "/backend", BACKEND, NULL);
    assertNode(fixture, FRONTEND "/backend-id", "0", "n5,r0");
    assertNode(fixture, FRONTEND "/state", "1", "n5,r0");
    assertNode(fixture, FRONTEND "/protocol", "vt100", "n5,r0");
    assertNode(fixture, FRONTEND "/limit", "1048576", "n0,r5");
    assertNode(fixture, FRONTEND "/type", "ioemu", "n0,r5");
    assertNode(fixture, FRONTEND "/output", "pty", "n0,r5");
    assertNode(fixture, FRONTEND "/tty", "/dev/pts/7", "n0,r5");
    assertNode(fixture, BACKEND, "", "n0,r5");
    assertNode(fixture, BACKEND "/frontend", FRONTEND, NULL);
    assertNode(fixture, BACKEND "/frontend-id", "5", NULL);
    assertNode(fixture, BACKEND "/online", "1", NULL);
    assertNode(fixture, BACKEND "/protocol", "vt100", NULL);
    assertNode(fixture, RECORD "/frontend", FRONTEND, NULL);
    assertNode(fixture, RECORD "/backend", BACKEND, NULL);
    assertNode(fixture, RECORD "/frontend-id", "5", NULL);
    assertNode(fixture, RECORD "/online", "1", NULL);
    assertNode(fixture, RECORD "/state", "1", NULL);
    assertNode(fixture, RECORD "/protocol", "vt100", NULL);
    /* Waiting for the frontend before the stubdomain runs. */
    assertBackend(fixture, "2");
}

/* Linux: 1, 3, then 4 once the backend is connected. */
static void
testLinux(Fixture *fixture, gconstpointer data)
{
    const ConsoleRequest *request;

    frontendSays(fixture, "1");
    frontendOffers(fixture, "9", "17", "3");
    request = expectRequest(fixture, CONSOLE_REQUEST_CONNECT);
    g_assert_cmpuint(request->ref, ==, 9);
    g_assert_cmpuint(request->port, ==, 17);
    assertBackend(fixture, "2");
    workerSays(CONSOLE_REPLY_CONNECTED, request->generation, 0, 0);
    assertBackend(fixture, "4");
    frontendSays(fixture, "4");
    assertBackend(fixture, "4");
    assertEvents(fixture, "connected ");
}

/* MiniOS: straight to 4; closes with 5, 6 after each use and comes back, finding the backend below 4. */
static void
testMiniOs(Fixture *fixture, gconstpointer data)
{
    for (guint i = 0; i < 3; i++) {
        guint32 generation;

        frontendOffers(fixture, "9", "17", "4");
        generation = expectRequest(fixture, CONSOLE_REQUEST_CONNECT)->generation;
        workerSays(CONSOLE_REPLY_CONNECTED, generation, 0, 0);
        assertBackend(fixture, "4");
        frontendSays(fixture, "5");
        generation = expectRequest(fixture, CONSOLE_REQUEST_DISCONNECT)->generation;
        /* Not before the page is given back: MiniOS frees it then. */
        assertBackend(fixture, "4");
        workerSays(CONSOLE_REPLY_DISCONNECTED, generation, 0, 0);
        assertBackend(fixture, "5");
        frontendSays(fixture, "6");
        assertBackend(fixture, "2");
        assertEvents(fixture, "connected closed ");
    }
}

/* The frontend goes while the worker maps, and the worker's late answer changes nothing. */
static void
testCloseWhileConnecting(Fixture *fixture, gconstpointer data)
{
    guint32 connection;
    guint32 end;

    frontendOffers(fixture, "9", "17", "3");
    connection = expectRequest(fixture, CONSOLE_REQUEST_CONNECT)->generation;
    frontendSays(fixture, "6");
    end = expectRequest(fixture, CONSOLE_REQUEST_DISCONNECT)->generation;
    workerSays(CONSOLE_REPLY_CONNECTED, connection, 0, 0);
    assertBackend(fixture, "2");
    assertEvents(fixture, "");
    workerSays(CONSOLE_REPLY_DISCONNECTED, end, 0, 0);
    assertEvents(fixture, "closed ");
    connectFrontend(fixture);
}

static void
testBadWords(Fixture *fixture, gconstpointer data)
{
    const char *const *row = data;

    frontendOffers(fixture, row[0], row[1], row[2]);
    assertBackend(fixture, "6");
    assertEvents(fixture, "broken ");
    /* Closed for good. */
    frontendOffers(fixture, "9", "17", "3");
    assertBackend(fixture, "6");
    assertEvents(fixture, "");
}

static void
testMapFails(Fixture *fixture, gconstpointer data)
{
    guint32 generation;

    frontendOffers(fixture, "4294967295", "17", "3");
    generation = expectRequest(fixture, CONSOLE_REQUEST_CONNECT)->generation;
    workerSays(CONSOLE_REPLY_CONNECTED, generation, EINVAL, 0);
    assertBackend(fixture, "6");
    assertEvents(fixture, "broken ");
}

static void
testBrokenRing(Fixture *fixture, gconstpointer data)
{
    guint32 generation = connectFrontend(fixture);

    workerSays(CONSOLE_REPLY_BROKEN, generation - 1, 0, 0);
    assertEvents(fixture, "");
    workerSays(CONSOLE_REPLY_BROKEN, generation, 0, 0);
    assertBackend(fixture, "6");
    assertEvents(fixture, "broken ");
}

/* libxl has removed all nodes: none may come back. */
static void
testNodesGone(Fixture *fixture, gconstpointer data)
{
    guint32 generation;

    connectFrontend(fixture);
    dmStoreRemove(&fixture->store, BACKEND, NULL);
    dmStoreRemove(&fixture->store, RECORD, NULL);
    frontendSays(fixture, NULL);
    generation = expectRequest(fixture, CONSOLE_REQUEST_DISCONNECT)->generation;
    workerSays(CONSOLE_REPLY_DISCONNECTED, generation, 0, 0);
    assertEvents(fixture, "closed ");
    g_assert_cmpuint(g_hash_table_size(fixture->store.values), ==, 0);
}

static void
testEndlessReconnect(Fixture *fixture, gconstpointer data)
{
    guint connections = 0;

    while (fixture->store.watches->len) {
        guint32 generation;

        frontendOffers(fixture, "9", "17", "3");
        if (worker.requests->len == fixture->asked) {
            continue;
        }
        generation = expectRequest(fixture, CONSOLE_REQUEST_CONNECT)->generation;
        workerSays(CONSOLE_REPLY_CONNECTED, generation, 0, 0);
        frontendSays(fixture, "6");
        generation = expectRequest(fixture, CONSOLE_REQUEST_DISCONNECT)->generation;
        workerSays(CONSOLE_REPLY_DISCONNECTED, generation, 0, 0);
        connections++;
    }
    g_assert_cmpuint(connections, ==, 1000);
    assertBackend(fixture, "6");
}

static void
testPeer(Fixture *fixture, gconstpointer data)
{
    GError *error = NULL;
    const ConsoleRequest *request;
    guint32 first;
    int pipes[2];

    g_assert_cmpint(pipe2(pipes, O_CLOEXEC), ==, 0);
    g_assert_true(dmConsolesSetPeer(fixture->consoles, 1, pipes[1], &error));
    request = expectRequest(fixture, CONSOLE_REQUEST_PEER);
    g_assert_cmpuint(request->flags, ==, CONSOLE_PEER_WRITE);
    g_assert_cmpuint(request->limit, ==, 1000);
    g_assert_cmpint(fcntl(worker.fd, F_GETFL) & O_NONBLOCK, ==, O_NONBLOCK);
    close(worker.fd);
    worker.fd = -1;
    first = request->generation;
    /* Ours was closed, and nobody writes any more. */
    g_assert_cmpint(read(pipes[0], &error, 1), ==, 0);
    g_assert_true(dmConsolesSetPeer(fixture->consoles, 1, pipes[0], &error));
    request = expectRequest(fixture, CONSOLE_REQUEST_PEER);
    g_assert_cmpuint(request->flags, ==, CONSOLE_PEER_READ);
    g_assert_true(dmConsolesSetPeer(fixture->consoles, 1, -1, &error));
    request = expectRequest(fixture, CONSOLE_REQUEST_PEER);
    g_assert_cmpuint(request->flags, ==, 0);
    /* Of a peer that has been replaced. */
    workerSays(CONSOLE_REPLY_PEER_CLOSED, first, EPIPE, 0);
    assertEvents(fixture, "");
    workerSays(CONSOLE_REPLY_PEER_CLOSED, request->generation, 0, 0);
    assertEvents(fixture, "peer-closed ");
    g_assert_no_error(error);
}

static void
testPeerTty(Fixture *fixture, gconstpointer data)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

    g_assert_true(dmConsolesSetPeer(fixture->consoles, 1, master, NULL));
    g_assert_cmpuint(expectRequest(fixture, CONSOLE_REQUEST_PEER)->flags, ==,
                     CONSOLE_PEER_READ | CONSOLE_PEER_WRITE | CONSOLE_PEER_LOSSY);
}

static void
keepDrain(DmConsoles *consoles, guint number, guint64 bytes, const GError *error, gpointer opaque)
{
    Fixture *fixture = opaque;

    fixture->drains++;
    fixture->drainBytes = bytes;
    g_clear_error(&fixture->drainError);
    fixture->drainError = error ? g_error_copy(error) : NULL;
}

static void
testDrain(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    guint32 generation;
    guint32 peer;

    g_assert_true(dmConsolesDrain(fixture->consoles, 1, keepDrain, fixture, &error));
    generation = expectRequest(fixture, CONSOLE_REQUEST_DRAIN)->generation;
    g_assert_false(dmConsolesDrain(fixture->consoles, 1, keepDrain, fixture, &error));
    g_assert_error(error, DM_ERROR, DM_ERROR_BUSY);
    workerSays(CONSOLE_REPLY_DRAINED, generation + 1, 0, 0);
    g_assert_cmpuint(fixture->drains, ==, 0);
    workerSays(CONSOLE_REPLY_DRAINED, generation, 0, 77);
    g_assert_cmpuint(fixture->drains, ==, 1);
    g_assert_cmpuint(fixture->drainBytes, ==, 77);
    g_assert_no_error(fixture->drainError);
    /* Answered once. */
    workerSays(CONSOLE_REPLY_DRAINED, generation, 0, 78);
    g_assert_cmpuint(fixture->drains, ==, 1);
    /* A full disk. */
    g_assert_true(dmConsolesDrain(fixture->consoles, 1, keepDrain, fixture, NULL));
    generation = expectRequest(fixture, CONSOLE_REQUEST_DRAIN)->generation;
    workerSays(CONSOLE_REPLY_DRAINED, generation, ENOSPC, 5);
    g_assert_error(fixture->drainError, DM_ERROR, DM_ERROR_SYSTEM);
    /* Too much. */
    g_assert_true(dmConsolesSetPeer(fixture->consoles, 1, -1, NULL));
    peer = expectRequest(fixture, CONSOLE_REQUEST_PEER)->generation;
    g_assert_true(dmConsolesDrain(fixture->consoles, 1, keepDrain, fixture, NULL));
    generation = expectRequest(fixture, CONSOLE_REQUEST_DRAIN)->generation;
    workerSays(CONSOLE_REPLY_LIMIT, peer, 0, 1000);
    workerSays(CONSOLE_REPLY_DRAINED, generation, 0, 1000);
    g_assert_error(fixture->drainError, DM_ERROR, DM_ERROR_STUBDOMAIN);
    assertEvents(fixture, "limit ");
}

static void
testWorkerDies(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    connectFrontend(fixture);
    g_assert_true(dmConsolesDrain(fixture->consoles, 1, keepDrain, fixture, NULL));
    expectRequest(fixture, CONSOLE_REQUEST_DRAIN);
    worker.stuck = TRUE;
    worker.died("because", worker.opaque);
    assertBackend(fixture, "6");
    assertEvents(fixture, "died ");
    g_assert_error(fixture->drainError, DM_ERROR, DM_ERROR_SYSTEM);
    g_assert_false(dmConsolesSetPeer(fixture->consoles, 1, -1, &error));
    g_assert_error(error, DM_ERROR, DM_ERROR_SYSTEM);
}

static void
testNumbers(Fixture *fixture, gconstpointer data)
{
    static const guint numbers[] = {0, 10, G_MAXUINT};
    g_autoptr(GError) error = NULL;

    for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++) {
        g_assert_false(dmConsolesAdd(fixture->consoles, numbers[i], NULL, NULL, 0, &error));
        g_assert_error(error, DM_ERROR, DM_ERROR_UNSUPPORTED);
        g_clear_error(&error);
        g_assert_false(dmConsolesSetPeer(fixture->consoles, numbers[i], -1, &error));
        g_assert_error(error, DM_ERROR, DM_ERROR_ARGUMENT);
        g_clear_error(&error);
    }
    g_assert_false(dmConsolesAdd(fixture->consoles, 1, NULL, NULL, 0, &error));
    g_assert_error(error, DM_ERROR, DM_ERROR_ARGUMENT);
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*func)(Fixture *fixture, gconstpointer data);
    } tests[] = {
        {"/console-backend/nodes", testNodes},
        {"/console-backend/linux", testLinux},
        {"/console-backend/minios", testMiniOs},
        {"/console-backend/close-while-connecting", testCloseWhileConnecting},
        {"/console-backend/map-fails", testMapFails},
        {"/console-backend/broken-ring", testBrokenRing},
        {"/console-backend/nodes-gone", testNodesGone},
        {"/console-backend/endless-reconnect", testEndlessReconnect},
        {"/console-backend/peer", testPeer},
        {"/console-backend/peer-tty", testPeerTty},
        {"/console-backend/drain", testDrain},
        {"/console-backend/worker-dies", testWorkerDies},
        {"/console-backend/numbers", testNumbers},
    };
    static const char *const words[][3] = {{"", "17", "3"},       {"9", "-1", "3"},  {"4294967296", "17", "3"},
                                           {"9", "0x11", "3"},    {"9", "17 ", "4"}, {"9", "17", "9"},
                                           {"9", "17", "running"}};

    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_test_add(tests[i].name, Fixture, NULL, setUp, tests[i].func, tearDown);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        g_autofree char *name = g_strdup_printf("/console-backend/bad-words/%zu", i);

        g_test_add(name, Fixture, words[i], setUp, testBadWords, tearDown);
    }
    return g_test_run();
}
