/*
 * Unit tests of the stubdomain's QMP client
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The test is QEMU, at the other end of a socket pair: an honest one, and one
 * that sends whatever a guest made of it.
 */

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stubdomain/init_error.h"
#include "stubdomain/init_pci.h"
#include "stubdomain/init_qmp.h"

#define GREETING "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\r\n"

typedef struct {
    int qemu;
    InitQmp *qmp;
    guint ready;
    guint events;
    char *lastEvent;
    guint replies;
    GError *error;
    gint64 value;
} Fixture;

static void
onReady(gpointer data)
{
    ((Fixture *)data)->ready++;
}

static void
onEvent(const char *name, JsonNode *value, gpointer data)
{
    Fixture *f = data;

    f->events++;
    g_free(f->lastEvent);
    f->lastEvent = g_strdup(name);
}

static void
onReply(JsonNode *value, const GError *error, gpointer data)
{
    Fixture *f = data;

    f->replies++;
    g_clear_error(&f->error);
    f->error = error ? g_error_copy(error) : NULL;
    f->value = value && json_node_get_value_type(value) == G_TYPE_INT64 ? json_node_get_int(value) : -1;
}

static void
setUp(Fixture *f, gconstpointer data)
{
    int pair[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
    f->qemu = pair[0];
    f->qmp = initQmpNew(pair[1], onReady, onEvent, f);
}

static void
tearDown(Fixture *f, gconstpointer data)
{
    initQmpFree(f->qmp);
    close(f->qemu);
    g_free(f->lastEvent);
    g_clear_error(&f->error);
}

static void
say(Fixture *f, const char *text, gsize length)
{
    while (length > 0) {
        ssize_t sent = send(f->qemu, text, length, MSG_DONTWAIT);

        if (sent > 0) {
            text += sent;
            length -= (gsize)sent;
        }
        g_main_context_iteration(NULL, FALSE);
    }
    while (g_main_context_iteration(NULL, FALSE))
        ;
}

static void
sayText(Fixture *f, const char *text)
{
    say(f, text, strlen(text));
}

static void
hear(Fixture *f, const char *expected)
{
    char text[512] = {0};

    g_assert_cmpint(recv(f->qemu, text, sizeof(text) - 1, 0), >, 0);
    g_assert_cmpstr(text, ==, expected);
}

static void
greet(Fixture *f)
{
    sayText(f, GREETING);
    hear(f, "{\"execute\":\"qmp_capabilities\",\"id\":1}\n");
    sayText(f, "{\"return\": {}, \"id\": 1}\r\n");
    g_assert_cmpuint(f->ready, ==, 1);
}

static void
testKinds(void)
{
    static const struct {
        const char *line;
        InitQmpKind kind;
        gint64 id;
        const char *text;
    } cases[] = {
        {"{\"QMP\": 1}", INIT_QMP_GREETING, -1, NULL},
        {"{\"return\": null, \"id\": 3}", INIT_QMP_RETURN, 3, NULL},
        {"{\"return\": {}, \"id\": \"x\"}", INIT_QMP_RETURN, -1, NULL},
        {"{\"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}, \"id\": 9}", INIT_QMP_ERROR, 9, "no"},
        {"{\"error\": 7}", INIT_QMP_ERROR, -1, NULL},
        {"{\"event\": \"STOP\", \"timestamp\": {}}", INIT_QMP_EVENT, -1, "STOP"},
        {"{\"event\": 5}", INIT_QMP_INVALID, -1, NULL},
        {"[]", INIT_QMP_INVALID, -1, NULL},
        {"{}", INIT_QMP_INVALID, -1, NULL},
        {"{\"return\": ", INIT_QMP_INVALID, -1, NULL},
        {"\xff\xfe{}", INIT_QMP_INVALID, -1, NULL},
        {"", INIT_QMP_INVALID, -1, NULL},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(InitQmpMessage) message = initQmpMessageParse(cases[i].line, strlen(cases[i].line));

        g_assert_cmpint(message->kind, ==, cases[i].kind);
        g_assert_cmpint(message->id, ==, cases[i].id);
        g_assert_cmpstr(message->text, ==, cases[i].text);
    }
}

static void
testExecute(Fixture *f, gconstpointer data)
{
    greet(f);
    initQmpExecute(f->qmp, "query-status", NULL, onReply, f);
    hear(f, "{\"execute\":\"query-status\",\"id\":2}\n");
    sayText(f, "{\"event\": \"STOP\"}\n{\"return\": 42, \"id\": 2}\n");
    g_assert_cmpstr(f->lastEvent, ==, "STOP");
    g_assert_cmpuint(f->replies, ==, 1);
    g_assert_no_error(f->error);
    g_assert_cmpint(f->value, ==, 42);
}

static void
testError(Fixture *f, gconstpointer data)
{
    greet(f);
    initQmpExecute(f->qmp, "cont", NULL, onReply, f);
    sayText(f, "{\"error\": {\"desc\": \"not now\"}, \"id\": 2}\n");
    g_assert_error(f->error, INIT_ERROR, INIT_ERROR_QMP);
    g_assert_nonnull(strstr(f->error->message, "not now"));
}

/* Nothing of this may be taken for an answer, and an answer after it must still be one. */
static void
testGarbage(Fixture *f, gconstpointer data)
{
    greet(f);
    initQmpExecute(f->qmp, "cont", NULL, onReply, f);
    say(f, "\0\0\n\r\n\xff\n[1,2]\nnull\n{\"id\":2}\n", 25);
    sayText(f, "{\"return\":1,\"id\":3}\n{\"return\":1}\n{\"return\":1,\"id\":\"2\"}\n" GREETING);
    g_assert_cmpuint(f->replies, ==, 0);
    g_assert_cmpuint(f->ready, ==, 1);
    sayText(f, "{\"return\":7,\"id\":2}\n{\"return\":8,\"id\":2}\n");
    g_assert_cmpuint(f->replies, ==, 1);
    g_assert_cmpint(f->value, ==, 7);
}

static void
testLongLine(Fixture *f, gconstpointer data)
{
    g_autofree char *line = g_malloc(INIT_QMP_LINE_MAX * 2);

    memset(line, ' ', INIT_QMP_LINE_MAX * 2);
    greet(f);
    initQmpExecute(f->qmp, "cont", NULL, onReply, f);
    say(f, line, INIT_QMP_LINE_MAX * 2);
    sayText(f, "\n{\"return\":7,\"id\":2}\n");
    g_assert_cmpuint(f->replies, ==, 1);
}

static void
testGone(Fixture *f, gconstpointer data)
{
    greet(f);
    initQmpExecute(f->qmp, "cont", NULL, onReply, f);
    shutdown(f->qemu, SHUT_RDWR);
    while (g_main_context_iteration(NULL, FALSE))
        ;
    initQmpExecute(f->qmp, "stop", NULL, onReply, f);
    g_assert_cmpuint(f->replies, ==, 1);
    g_assert_error(f->error, INIT_ERROR, INIT_ERROR_QMP);
}

static void
testFindDevice(void)
{
    static const struct {
        const char *json;
        gboolean found;
        guint8 devfn;
    } cases[] = {
        {"[{\"devices\": [{\"slot\": 1, \"function\": 0}, {\"qdev_id\": \"p\", \"slot\": 5, \"function\": 1}]}]", TRUE,
         41},
        {"[{\"devices\": [{\"qdev_id\": \"q\", \"slot\": 5, \"function\": 1}]}]", FALSE, 0},
        {"[{\"devices\": [{\"qdev_id\": \"p\", \"slot\": 32, \"function\": 1}]}]", FALSE, 0},
        {"[{\"devices\": [{\"qdev_id\": \"p\", \"slot\": \"5\", \"function\": 1}]}]", FALSE, 0},
        {"[{\"devices\": [{\"qdev_id\": 5}]}]", FALSE, 0},
        {"[{\"devices\": [7]}]", FALSE, 0},
        {"[{\"devices\": {}}]", FALSE, 0},
        {"[{}]", FALSE, 0},
        {"[]", FALSE, 0},
        {"{}", FALSE, 0},
        {"5", FALSE, 0},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(JsonNode) node = json_from_string(cases[i].json, NULL);
        guint8 devfn = 0;

        g_assert_cmpint(initPciFindDevice(node, "p", &devfn), ==, cases[i].found);
        g_assert_cmpuint(devfn, ==, cases[i].devfn);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/stubdomain/qmp/kinds", testKinds);
    g_test_add("/stubdomain/qmp/execute", Fixture, NULL, setUp, testExecute, tearDown);
    g_test_add("/stubdomain/qmp/error", Fixture, NULL, setUp, testError, tearDown);
    g_test_add("/stubdomain/qmp/garbage", Fixture, NULL, setUp, testGarbage, tearDown);
    g_test_add("/stubdomain/qmp/long-line", Fixture, NULL, setUp, testLongLine, tearDown);
    g_test_add("/stubdomain/qmp/gone", Fixture, NULL, setUp, testGone, tearDown);
    g_test_add_func("/stubdomain/pci/find-device", testFindDevice);
    return g_test_run();
}
