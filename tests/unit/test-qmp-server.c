/*
 * Test: the QMP server's words, over real sockets
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <string.h>

#include "qmp_fixture.h"

/* --- words ---------------------------------------------------------------- */

static void
testGreeting(QmpFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(QmpClient) client = qmpClientNew(fixture->path);
    g_autofree char *line = qmpClientLine(client);
    g_autoptr(JsonNode) node = json_from_string(line, NULL);
    JsonObject *qmp = json_object_get_object_member(json_node_get_object(node), "QMP");
    JsonObject *version = json_object_get_object_member(qmp, "version");
    JsonObject *qemu = json_object_get_object_member(version, "qemu");

    g_assert_cmpint(json_object_get_int_member(qemu, "major"), ==, DM_QMP_VERSION_MAJOR);
    g_assert_cmpint(json_object_get_int_member(qemu, "minor"), ==, DM_QMP_VERSION_MINOR);
    g_assert_cmpint(json_object_get_int_member(qemu, "micro"), ==, DM_QMP_VERSION_MICRO);
    g_assert_true(g_str_has_prefix(json_object_get_string_member(version, "package"), "xen-stubdom-dm "));
    g_assert_cmpuint(json_array_get_length(json_object_get_array_member(qmp, "capabilities")), ==, 0);
}

static void
testNegotiation(QmpFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(QmpClient) client = qmpClientNew(fixture->path);

    qmpClientSkipLine(client);
    qmpClientSay(client, "{\"execute\":\"echo\",\"id\":1}\r\n");
    qmpClientAssertLine(client,
                        "{\"error\":{\"class\":\"CommandNotFound\",\"desc\":\"Expecting capabilities negotiation with "
                        "'qmp_capabilities'\"},\"id\":1}");
    qmpClientSay(client, "{\"execute\":\"qmp_capabilities\",\"arguments\":{\"enable\":[\"oob\"]}}");
    qmpClientAssertLine(client,
                        "{\"error\":{\"class\":\"GenericError\",\"desc\":\"Parameter 'enable' names a capability that "
                        "was not offered\"}}");
    qmpClientSay(client, "{\"execute\":\"qmp_capabilities\",\"arguments\":{\"enable\":[]},\"id\":2}");
    qmpClientAssertLine(client, "{\"return\":{},\"id\":2}");
    qmpClientSay(client, "{\"execute\":\"qmp_capabilities\",\"id\":3}");
    qmpClientAssertLine(client,
                        "{\"error\":{\"class\":\"CommandNotFound\",\"desc\":\"Capabilities negotiation is already "
                        "complete, command ignored\"},\"id\":3}");
}

static void
testBuiltIn(QmpFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(QmpClient) client = qmpClientNegotiated(fixture->path);
    g_autofree char *version = NULL;

    qmpClientSay(client, "{\"execute\":\"query-commands\",\"id\":0}");
    qmpClientAssertLine(
        client, "{\"return\":[{\"name\":\"qmp_capabilities\"},{\"name\":\"query-version\"},"
                "{\"name\":\"query-commands\"},{\"name\":\"echo\"},{\"name\":\"fail\"},{\"name\":\"hold\"},"
                "{\"name\":\"read-fd\"},{\"name\":\"huge\"},{\"name\":\"twice\"},{\"name\":\"free\"}],\"id\":0}");
    qmpClientSay(client, "{\"execute\":\"query-version\"}");
    version = qmpClientLine(client);
    g_assert_true(g_str_has_prefix(version, "{\"return\":{\"qemu\":{"));
}

static void
testCommands(QmpFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    static const struct {
        const char *input;
        const char *output;
    } cases[] = {
        {"{\"execute\":\"echo\"}", "{\"return\":{}}"},
        {"{\"execute\":\"echo\",\"arguments\":{\"a\":[1]},\"id\":\"x\"}", "{\"return\":{\"a\":[1]},\"id\":\"x\"}"},
        {"{\"id\":{\"k\":[null,true]},\"execute\":\"echo\"}", "{\"return\":{},\"id\":{\"k\":[null,true]}}"},
        {"{\"execute\":\"echo\",\"id\":null}", "{\"return\":{},\"id\":null}"},
        {"{\"execute\":\"echo\",\"id\":-1.5}", "{\"return\":{},\"id\":-1.5}"},
        {"{\"execute\":\"fail\",\"id\":1}",
         "{\"error\":{\"class\":\"DeviceNotFound\",\"desc\":\"no device here\xef\xbf\xbd\"},\"id\":1}"},
        {"{\"execute\":\"nonesuch\",\"id\":1}",
         "{\"error\":{\"class\":\"CommandNotFound\",\"desc\":\"The command nonesuch has not been found\"},\"id\":1}"},
        {"{\"id\":1}",
         "{\"error\":{\"class\":\"GenericError\",\"desc\":\"QMP input lacks member 'execute'\"},\"id\":1}"},
        {"{\"execute\":1,\"id\":1}",
         "{\"error\":{\"class\":\"GenericError\",\"desc\":\"QMP input member 'execute' must be a string\"},\"id\":1}"},
        {"{\"execute\":\"echo\",\"arguments\":[]}",
         "{\"error\":{\"class\":\"GenericError\",\"desc\":\"QMP input member 'arguments' must be an object\"}}"},
        {"{\"exec-oob\":\"echo\"}",
         "{\"error\":{\"class\":\"GenericError\",\"desc\":\"QMP input member 'exec-oob' is unexpected\"}}"},
    };
    g_autoptr(QmpClient) client = qmpClientNegotiated(fixture->path);

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        qmpClientSay(client, cases[i].input);
        qmpClientAssertLine(client, cases[i].output);
    }
}

static void
testMalformed(QmpFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    static const char *const inputs[] = {"nonsense", "[]", "{\"execute\":}", "{]"};

    for (gsize i = 0; i < G_N_ELEMENTS(inputs); i++) {
        g_autoptr(QmpClient) client = qmpClientNegotiated(fixture->path);
        g_autofree char *line = NULL;

        qmpClientSay(client, inputs[i]);
        line = qmpClientLine(client);
        g_assert_true(g_str_has_prefix(line, "{\"error\":{\"class\":\"GenericError\",\"desc\":\""));
        qmpClientAssertEnded(client);
        g_assert_cmpuint(fixture->gone, ==, i + 1);
    }
}

static void
testEvent(QmpFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(QmpClient) a = qmpClientNegotiated(fixture->path);
    g_autoptr(QmpClient) b = qmpClientNegotiated(fixture->path);
    g_autoptr(QmpClient) deaf = qmpClientNew(fixture->path);
    g_autofree char *lineA = NULL;
    g_autofree char *lineB = NULL;
    JsonObject *details = json_object_new();

    qmpClientSkipLine(deaf);
    json_object_set_string_member(details, "reason", "x");
    dmQmpServerEvent(fixture->server, "SHUTDOWN", details);
    lineA = qmpClientLine(a);
    lineB = qmpClientLine(b);
    g_assert_cmpstr(lineA, ==, lineB);
    g_assert_true(g_str_has_prefix(lineA, "{\"timestamp\":{\"seconds\":"));
    g_assert_true(g_str_has_suffix(lineA, "},\"event\":\"SHUTDOWN\",\"data\":{\"reason\":\"x\"}}"));
    dmQmpServerEvent(fixture->server, "STOP", NULL);
    /* Not before it negotiated: the next it hears is an answer. */
    qmpClientSay(deaf, "{\"execute\":\"qmp_capabilities\"}");
    qmpClientAssertLine(deaf, "{\"return\":{}}");
}

/* --- answers later -------------------------------------------------------- */

static void
testLater(QmpFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(QmpClient) client = qmpClientNegotiated(fixture->path);
    g_autoptr(QmpClient) other = qmpClientNegotiated(fixture->path);

    qmpClientSay(client,
                 "{\"execute\":\"hold\",\"id\":1}{\"execute\":\"hold\",\"id\":2}{\"execute\":\"echo\",\"id\":3}");
    qmpClientAssertLine(client, "{\"return\":{},\"id\":3}");
    qmpClientSay(other, "{\"execute\":\"echo\"}");
    qmpClientAssertLine(other, "{\"return\":{}}");
    dmQmpRequestReturn(g_queue_pop_tail(&fixture->held), NULL);
    qmpClientAssertLine(client, "{\"return\":{},\"id\":2}");
    dmQmpRequestFail(g_queue_pop_tail(&fixture->held), "GenericError", "no");
    qmpClientAssertLine(client, "{\"error\":{\"class\":\"GenericError\",\"desc\":\"no\"},\"id\":1}");
}

static void
testTooMany(QmpFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(QmpClient) client = qmpClientNegotiated(fixture->path);

    for (guint i = 0; i <= DM_QMP_REQUESTS_MAX; i++)
        qmpClientSay(client, "{\"execute\":\"hold\",\"id\":1}");
    qmpClientAssertLine(client,
                        "{\"error\":{\"class\":\"GenericError\",\"desc\":\"Too many commands in work\"},\"id\":1}");
    g_assert_cmpuint(fixture->held.length, ==, DM_QMP_REQUESTS_MAX);
    while (!g_queue_is_empty(&fixture->held)) {
        dmQmpRequestReturn(g_queue_pop_head(&fixture->held), NULL);
        qmpClientAssertLine(client, "{\"return\":{},\"id\":1}");
    }
}

static void
testVanished(QmpFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    QmpClient *client = qmpClientNegotiated(fixture->path);

    qmpClientSayWithFds(client, "{\"execute\":\"hold\",\"id\":1}{\"execute\":\"hold\"}", 1);
    while (fixture->held.length < 2)
        g_main_context_iteration(NULL, TRUE);
    qmpClientFree(client);
    while (fixture->gone == 0)
        g_main_context_iteration(NULL, TRUE);
    g_assert_cmpint(dmQmpRequestTakeFd(g_queue_peek_head(&fixture->held)), ==, -1);
    dmQmpRequestReturn(g_queue_pop_head(&fixture->held), NULL);
    dmQmpServerFree(g_steal_pointer(&fixture->server));
    dmQmpRequestFail(g_queue_pop_head(&fixture->held), "GenericError", "too late");
}

static void
testTwice(QmpFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(QmpClient) client = qmpClientNegotiated(fixture->path);

    qmpClientSay(client, "{\"execute\":\"twice\"}{\"execute\":\"echo\",\"id\":1}");
    qmpClientAssertLine(client, "{\"return\":{}}");
    qmpClientAssertLine(client, "{\"return\":{},\"id\":1}");
}

/* A handler frees the server under itself; what follows in the same read is dropped. */
static void
testFreeInHandler(QmpFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(QmpClient) client = qmpClientNegotiated(fixture->path);

    qmpClientSay(client, "{\"execute\":\"free\"}{\"execute\":\"echo\"}");
    qmpClientAssertEnded(client);
    g_assert_null(fixture->server);
}

#define ADD(name, func) g_test_add("/qmp/server/" name, QmpFixture, NULL, qmpFixtureSetUp, func, qmpFixtureTearDown)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("greeting", testGreeting);
    ADD("negotiation", testNegotiation);
    ADD("built-in", testBuiltIn);
    ADD("commands", testCommands);
    ADD("malformed", testMalformed);
    ADD("event", testEvent);
    ADD("later", testLater);
    ADD("too-many", testTooMany);
    ADD("vanished", testVanished);
    ADD("twice", testTwice);
    ADD("free-in-handler", testFreeInHandler);
    return g_test_run();
}
