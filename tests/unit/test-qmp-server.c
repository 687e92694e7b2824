/*
 * Test: the QMP server over real sockets, with clients that behave and that do not
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Client and server share one main loop: a client's input is watched by it,
 * and waiting for a line is running it. What never comes ends the test by the
 * harness's time limit.
 */

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device_model/dm_error.h"
#include "device_model/dm_qmp_server.h"

typedef struct {
    char *directory;
    char *path;
    DmQmpServer *server;
    GQueue held; /* of DmQmpRequest, of "hold" */
    guint gone;  /* times a client went away */
} Fixture;

typedef struct {
    int fd;
    guint source;
    GString *input;
    gboolean ended;
} Client;

/* --- the commands the tests use ------------------------------------------- */

static void
runEcho(DmQmpRequest *request, JsonObject *arguments, gpointer opaque G_GNUC_UNUSED)
{
    g_assert_cmpstr(dmQmpRequestName(request), ==, "echo");
    dmQmpRequestReturn(request, arguments ? json_node_init_object(json_node_alloc(), arguments) : NULL);
}

static void
runFail(DmQmpRequest *request, JsonObject *arguments G_GNUC_UNUSED, gpointer opaque G_GNUC_UNUSED)
{
    dmQmpRequestFail(request, "DeviceNotFound", "no %s here\xff", "device");
}

static void
runHold(DmQmpRequest *request, JsonObject *arguments G_GNUC_UNUSED, gpointer opaque)
{
    Fixture *fixture = opaque;

    g_queue_push_tail(&fixture->held, request);
}

/* Answers with what the file descriptor that came along reads, or false. */
static void
runReadFd(DmQmpRequest *request, JsonObject *arguments G_GNUC_UNUSED, gpointer opaque G_GNUC_UNUSED)
{
    JsonNode *value = json_node_new(JSON_NODE_VALUE);
    char word[16] = "";
    int fd = dmQmpRequestTakeFd(request);

    if (fd < 0) {
        json_node_set_boolean(value, FALSE);
    } else {
        g_assert_cmpint(fcntl(fd, F_GETFD), ==, FD_CLOEXEC);
        g_assert_cmpint(read(fd, word, sizeof(word) - 1), >=, 0);
        json_node_set_string(value, word);
        close(fd);
    }
    dmQmpRequestReturn(request, value);
}

static void
runHuge(DmQmpRequest *request, JsonObject *arguments G_GNUC_UNUSED, gpointer opaque G_GNUC_UNUSED)
{
    JsonNode *value = json_node_new(JSON_NODE_VALUE);
    g_autofree char *text = g_strnfill(DM_QMP_OUTPUT_MAX, 'x');

    json_node_set_string(value, text);
    dmQmpRequestReturn(request, value);
}

static void
runTwice(DmQmpRequest *request, JsonObject *arguments G_GNUC_UNUSED, gpointer opaque G_GNUC_UNUSED)
{
    dmQmpRequestReturn(request, NULL);
    g_test_expect_message(G_LOG_DOMAIN, G_LOG_LEVEL_CRITICAL, "*answered twice*");
    dmQmpRequestReturn(request, json_node_new(JSON_NODE_NULL));
    g_test_expect_message(G_LOG_DOMAIN, G_LOG_LEVEL_CRITICAL, "*answered twice*");
    dmQmpRequestFail(request, "GenericError", "again");
    g_test_assert_expected_messages();
}

static void
runFree(DmQmpRequest *request, JsonObject *arguments G_GNUC_UNUSED, gpointer opaque)
{
    Fixture *fixture = opaque;

    g_clear_pointer(&fixture->server, dmQmpServerFree);
    dmQmpRequestReturn(request, NULL);
}

static const DmQmpCommand commands[] = {
    {"echo", runEcho}, {"fail", runFail},   {"hold", runHold}, {"read-fd", runReadFd},
    {"huge", runHuge}, {"twice", runTwice}, {"free", runFree}, {NULL, NULL},
};

/* --- fixture and client --------------------------------------------------- */

static void
countGone(guint left G_GNUC_UNUSED, gpointer opaque)
{
    Fixture *fixture = opaque;

    fixture->gone++;
}

static void
setUp(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;

    fixture->directory = g_dir_make_tmp("qmp-XXXXXX", &error);
    g_assert_no_error(error);
    fixture->path = g_build_filename(fixture->directory, "qmp", NULL);
    fixture->server = dmQmpServerNew(fixture->path, commands, fixture, &error);
    g_assert_no_error(error);
    dmQmpServerOnGone(fixture->server, countGone, fixture);
    g_queue_init(&fixture->held);
}

static void
tearDown(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_assert_true(g_queue_is_empty(&fixture->held));
    dmQmpServerFree(fixture->server);
    g_assert_false(g_file_test(fixture->path, G_FILE_TEST_EXISTS));
    g_assert_cmpint(g_rmdir(fixture->directory), ==, 0);
    g_free(fixture->path);
    g_free(fixture->directory);
}

static gboolean
clientInput(gint fd, GIOCondition condition G_GNUC_UNUSED, gpointer opaque)
{
    Client *client = opaque;
    char buffer[65536];
    ssize_t n = read(fd, buffer, sizeof(buffer));

    if (n > 0) {
        g_string_append_len(client->input, buffer, n);
        return G_SOURCE_CONTINUE;
    }
    client->ended = TRUE;
    client->source = 0;
    return G_SOURCE_REMOVE;
}

static void
clientListen(Client *client)
{
    client->source = g_unix_fd_add(client->fd, G_IO_IN, clientInput, client);
}

static Client *
clientNew(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    Client *client = g_new0(Client, 1);

    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(connect(client->fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    client->input = g_string_new(NULL);
    clientListen(client);
    return client;
}

static void
clientFree(Client *client)
{
    if (client->source)
        g_source_remove(client->source);
    close(client->fd);
    g_string_free(client->input, TRUE);
    g_free(client);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Client, clientFree)

static void
clientSay(Client *client, const char *words)
{
    g_assert_cmpint(write(client->fd, words, strlen(words)), ==, (ssize_t)strlen(words));
}

/* The next line, without its end, or NULL when the connection has ended. */
static char *
clientLine(Client *client)
{
    char *end;
    char *line;

    while (!(end = strstr(client->input->str, "\r\n")) && !client->ended)
        g_main_context_iteration(NULL, TRUE);
    if (!end)
        return NULL;
    line = g_strndup(client->input->str, (gsize)(end - client->input->str));
    g_string_erase(client->input, 0, end + 2 - client->input->str);
    return line;
}

static void
assertLine(Client *client, const char *expected)
{
    g_autofree char *line = clientLine(client);

    g_assert_cmpstr(line, ==, expected);
}

static void
assertEnded(Client *client)
{
    g_autofree char *line = clientLine(client);

    g_assert_null(line);
}

/* Lets everything that is ready happen. */
static void
settle(void)
{
    while (g_main_context_iteration(NULL, FALSE))
        ;
}

static Client *
clientNegotiated(const char *path)
{
    Client *client = clientNew(path);
    g_autofree char *greeting = clientLine(client);

    g_assert_nonnull(greeting);
    clientSay(client, "{\"execute\":\"qmp_capabilities\"}\r\n");
    assertLine(client, "{\"return\":{}}");
    return client;
}

/* Sends @words with @fds file descriptors that each read "a", "b", … */
static void
clientSayWithFds(Client *client, const char *words, guint fds)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int) * 32)];
    } control = {.bytes = ""};
    struct iovec vector = {.iov_base = (char *)words, .iov_len = strlen(words)};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control.bytes};
    struct cmsghdr *header;
    int ends[32];

    for (guint i = 0; i < fds; i++) {
        char letter = (char)('a' + i);
        int pair[2];

        g_assert_cmpint(pipe(pair), ==, 0);
        g_assert_cmpint(write(pair[1], &letter, 1), ==, 1);
        close(pair[1]);
        ends[i] = pair[0];
    }
    message.msg_controllen = CMSG_SPACE(sizeof(int) * fds);
    header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int) * fds);
    memcpy(CMSG_DATA(header), ends, sizeof(int) * fds);
    g_assert_cmpint(sendmsg(client->fd, &message, 0), ==, (ssize_t)strlen(words));
    for (guint i = 0; i < fds; i++)
        close(ends[i]);
}

static guint
countOpenFds(void)
{
    g_autoptr(GDir) directory = g_dir_open("/proc/self/fd", 0, NULL);
    guint count = 0;

    while (g_dir_read_name(directory))
        count++;
    return count;
}

/* --- words ---------------------------------------------------------------- */

static void
testGreeting(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(Client) client = clientNew(fixture->path);
    g_autofree char *line = clientLine(client);
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
testNegotiation(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(Client) client = clientNew(fixture->path);
    g_autofree char *greeting = clientLine(client);

    clientSay(client, "{\"execute\":\"echo\",\"id\":1}\r\n");
    assertLine(client, "{\"error\":{\"class\":\"CommandNotFound\",\"desc\":\"Expecting capabilities negotiation with "
                       "'qmp_capabilities'\"},\"id\":1}");
    clientSay(client, "{\"execute\":\"qmp_capabilities\",\"arguments\":{\"enable\":[\"oob\"]}}");
    assertLine(client, "{\"error\":{\"class\":\"GenericError\",\"desc\":\"Parameter 'enable' names a capability that "
                       "was not offered\"}}");
    clientSay(client, "{\"execute\":\"qmp_capabilities\",\"arguments\":{\"enable\":[]},\"id\":2}");
    assertLine(client, "{\"return\":{},\"id\":2}");
    clientSay(client, "{\"execute\":\"qmp_capabilities\",\"id\":3}");
    assertLine(client, "{\"error\":{\"class\":\"CommandNotFound\",\"desc\":\"Capabilities negotiation is already "
                       "complete, command ignored\"},\"id\":3}");
}

static void
testBuiltIn(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(Client) client = clientNegotiated(fixture->path);
    g_autofree char *version = NULL;

    clientSay(client, "{\"execute\":\"query-commands\",\"id\":0}");
    assertLine(client,
               "{\"return\":[{\"name\":\"qmp_capabilities\"},{\"name\":\"query-version\"},"
               "{\"name\":\"query-commands\"},{\"name\":\"echo\"},{\"name\":\"fail\"},{\"name\":\"hold\"},"
               "{\"name\":\"read-fd\"},{\"name\":\"huge\"},{\"name\":\"twice\"},{\"name\":\"free\"}],\"id\":0}");
    clientSay(client, "{\"execute\":\"query-version\"}");
    version = clientLine(client);
    g_assert_true(g_str_has_prefix(version, "{\"return\":{\"qemu\":{"));
}

static void
testCommands(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
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
    g_autoptr(Client) client = clientNegotiated(fixture->path);

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        clientSay(client, cases[i].input);
        assertLine(client, cases[i].output);
    }
}

static void
testMalformed(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    static const char *const inputs[] = {"nonsense", "[]", "{\"execute\":}", "{]"};

    for (gsize i = 0; i < G_N_ELEMENTS(inputs); i++) {
        g_autoptr(Client) client = clientNegotiated(fixture->path);
        g_autofree char *line = NULL;

        clientSay(client, inputs[i]);
        line = clientLine(client);
        g_assert_true(g_str_has_prefix(line, "{\"error\":{\"class\":\"GenericError\",\"desc\":\""));
        assertEnded(client);
        g_assert_cmpuint(fixture->gone, ==, i + 1);
    }
}

static void
testEvent(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(Client) a = clientNegotiated(fixture->path);
    g_autoptr(Client) b = clientNegotiated(fixture->path);
    g_autoptr(Client) deaf = clientNew(fixture->path);
    g_autofree char *greeting = clientLine(deaf);
    g_autofree char *lineA = NULL;
    g_autofree char *lineB = NULL;
    JsonObject *details = json_object_new();

    json_object_set_string_member(details, "reason", "x");
    dmQmpServerEvent(fixture->server, "SHUTDOWN", details);
    lineA = clientLine(a);
    lineB = clientLine(b);
    g_assert_cmpstr(lineA, ==, lineB);
    g_assert_true(g_str_has_prefix(lineA, "{\"timestamp\":{\"seconds\":"));
    g_assert_true(g_str_has_suffix(lineA, "},\"event\":\"SHUTDOWN\",\"data\":{\"reason\":\"x\"}}"));
    dmQmpServerEvent(fixture->server, "STOP", NULL);
    /* Not before it negotiated: the next it hears is an answer. */
    clientSay(deaf, "{\"execute\":\"qmp_capabilities\"}");
    assertLine(deaf, "{\"return\":{}}");
}

/* --- answers later -------------------------------------------------------- */

static void
testLater(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(Client) client = clientNegotiated(fixture->path);
    g_autoptr(Client) other = clientNegotiated(fixture->path);

    clientSay(client, "{\"execute\":\"hold\",\"id\":1}{\"execute\":\"hold\",\"id\":2}{\"execute\":\"echo\",\"id\":3}");
    assertLine(client, "{\"return\":{},\"id\":3}");
    clientSay(other, "{\"execute\":\"echo\"}");
    assertLine(other, "{\"return\":{}}");
    dmQmpRequestReturn(g_queue_pop_tail(&fixture->held), NULL);
    assertLine(client, "{\"return\":{},\"id\":2}");
    dmQmpRequestFail(g_queue_pop_tail(&fixture->held), "GenericError", "no");
    assertLine(client, "{\"error\":{\"class\":\"GenericError\",\"desc\":\"no\"},\"id\":1}");
}

static void
testTooMany(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(Client) client = clientNegotiated(fixture->path);

    for (guint i = 0; i <= DM_QMP_REQUESTS_MAX; i++)
        clientSay(client, "{\"execute\":\"hold\",\"id\":1}");
    assertLine(client, "{\"error\":{\"class\":\"GenericError\",\"desc\":\"Too many commands in work\"},\"id\":1}");
    g_assert_cmpuint(fixture->held.length, ==, DM_QMP_REQUESTS_MAX);
    while (!g_queue_is_empty(&fixture->held)) {
        dmQmpRequestReturn(g_queue_pop_head(&fixture->held), NULL);
        assertLine(client, "{\"return\":{},\"id\":1}");
    }
}

static void
testVanished(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    Client *client = clientNegotiated(fixture->path);

    clientSayWithFds(client, "{\"execute\":\"hold\",\"id\":1}{\"execute\":\"hold\"}", 1);
    while (fixture->held.length < 2)
        g_main_context_iteration(NULL, TRUE);
    clientFree(client);
    while (fixture->gone == 0)
        g_main_context_iteration(NULL, TRUE);
    g_assert_cmpint(dmQmpRequestTakeFd(g_queue_peek_head(&fixture->held)), ==, -1);
    dmQmpRequestReturn(g_queue_pop_head(&fixture->held), NULL);
    g_clear_pointer(&fixture->server, dmQmpServerFree);
    dmQmpRequestFail(g_queue_pop_head(&fixture->held), "GenericError", "too late");
}

static void
testTwice(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(Client) client = clientNegotiated(fixture->path);

    clientSay(client, "{\"execute\":\"twice\"}{\"execute\":\"echo\",\"id\":1}");
    assertLine(client, "{\"return\":{}}");
    assertLine(client, "{\"return\":{},\"id\":1}");
}

/* A handler frees the server under itself; what follows in the same read is dropped. */
static void
testFreeInHandler(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(Client) client = clientNegotiated(fixture->path);

    clientSay(client, "{\"execute\":\"free\"}{\"execute\":\"echo\"}");
    assertEnded(client);
    g_assert_null(fixture->server);
}

/* --- file descriptors ----------------------------------------------------- */

static void
testFds(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(Client) client = clientNegotiated(fixture->path);
    guint before = countOpenFds();

    clientSayWithFds(client, "{\"execute\":\"read-fd\"}", 1);
    assertLine(client, "{\"return\":\"a\"}");
    /* As libxl sends it: the file descriptor with the first byte, in one go with what follows. */
    clientSayWithFds(client, "{", 1);
    clientSay(client, "\"execute\":\"read-fd\"}\r\n");
    assertLine(client, "{\"return\":\"a\"}");
    /* As others do: on a blank ahead of the command, which may come much later. */
    clientSayWithFds(client, " ", 1);
    settle();
    clientSay(client, "{\"execute\":\"read-fd\"}");
    assertLine(client, "{\"return\":\"a\"}");
    /* Behind a command that takes none, in one go: both are read at once. */
    clientSay(client, "{\"execute\":\"echo\"}");
    clientSayWithFds(client, "{", 2);
    clientSay(client, "\"execute\":\"read-fd\"}{\"execute\":\"read-fd\"}{\"execute\":\"read-fd\"}");
    assertLine(client, "{\"return\":{}}");
    assertLine(client, "{\"return\":\"a\"}");
    assertLine(client, "{\"return\":\"b\"}");
    assertLine(client, "{\"return\":false}");
    g_assert_cmpuint(countOpenFds(), ==, before);
}

/* One that no command took is not left for the next. */
static void
testFdsDropped(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(Client) client = clientNegotiated(fixture->path);
    guint before = countOpenFds();

    clientSayWithFds(client, "{\"execute\":\"nonesuch\"}", DM_QMP_FDS_MAX);
    g_free(clientLine(client));
    g_assert_cmpuint(countOpenFds(), ==, before);
    clientSay(client, "{\"execute\":\"read-fd\"}");
    assertLine(client, "{\"return\":false}");
    /* Kept for a command in work, dropped with its answer. */
    clientSayWithFds(client, "{\"execute\":\"hold\"}{\"execute\":\"echo\"}", 1);
    assertLine(client, "{\"return\":{}}");
    g_assert_cmpuint(countOpenFds(), ==, before + 1);
    dmQmpRequestReturn(g_queue_pop_head(&fixture->held), NULL);
    g_assert_cmpuint(countOpenFds(), ==, before);
}

static void
testFdsFlood(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    guint before = countOpenFds();

    for (guint many = 1; many <= 2; many++) {
        Client *client = clientNegotiated(fixture->path);

        /* At once more than fit, or piled up on blanks. */
        for (guint i = 0; many == 1 && i <= DM_QMP_FDS_MAX; i++)
            clientSayWithFds(client, " ", 1);
        if (many == 2)
            clientSayWithFds(client, " ", 2 * DM_QMP_FDS_MAX);
        assertEnded(client);
        clientFree(client);
        g_assert_cmpuint(countOpenFds(), ==, before);
    }
}

/* --- bounds --------------------------------------------------------------- */

static void
testEndless(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(Client) client = clientNegotiated(fixture->path);
    g_autofree char *filling = g_strnfill(DM_QMP_INPUT_MAX, 'x');
    g_autofree char *line = NULL;

    clientSay(client, "{\"execute\":\"");
    clientSay(client, filling);
    line = clientLine(client);
    g_assert_nonnull(strstr(line, "longer than"));
    assertEnded(client);
}

/* A client that does not read is closed by what it is told unasked … */
static void
testDeafEvents(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(Client) client = clientNegotiated(fixture->path);
    g_autoptr(Client) other = clientNegotiated(fixture->path);
    guint sent = 0;

    g_clear_handle_id(&client->source, g_source_remove);
    while (fixture->gone == 0) {
        dmQmpServerEvent(fixture->server, "STOP", NULL);
        g_assert_cmpuint(++sent, <, 1000000);
        settle();
    }
    g_assert_cmpuint(fixture->gone, ==, 1);
    g_assert_false(other->ended);
}

/* … and by a huge answer, but asking without reading only holds up itself. */
static void
testDeafCommands(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    static const char word[] = "{\"execute\":\"query-commands\"}";
    g_autoptr(Client) client = clientNegotiated(fixture->path);
    g_autoptr(Client) other = clientNegotiated(fixture->path);
    guint said = 0;
    guint heard = 0;

    g_clear_handle_id(&client->source, g_source_remove);
    g_assert_true(g_unix_set_fd_nonblocking(client->fd, TRUE, NULL));
    for (;;) {
        ssize_t n = write(client->fd, word, strlen(word));

        /* A stream socket takes words this small whole or not at all. */
        g_assert_true(n == (ssize_t)strlen(word) || (n < 0 && errno == EAGAIN));
        if (n < 0)
            break;
        said++;
        settle();
    }
    clientSay(other, "{\"execute\":\"echo\"}");
    assertLine(other, "{\"return\":{}}");
    clientListen(client);
    while (heard < said) {
        g_autofree char *line = clientLine(client);

        g_assert_true(g_str_has_prefix(line, "{\"return\":["));
        heard++;
    }
    clientSay(client, "{\"execute\":\"huge\"}");
    assertEnded(client);
}

static void
testClientsMax(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    Client *clients[DM_QMP_CLIENTS_MAX];
    Client *more;

    for (guint i = 0; i < DM_QMP_CLIENTS_MAX; i++)
        clients[i] = clientNegotiated(fixture->path);
    more = clientNew(fixture->path);
    assertEnded(more);
    clientFree(more);
    clientFree(clients[0]);
    while (fixture->gone == 0)
        g_main_context_iteration(NULL, TRUE);
    clients[0] = clientNegotiated(fixture->path);
    for (guint i = 0; i < DM_QMP_CLIENTS_MAX; i++)
        clientFree(clients[i]);
}

/* Out of file descriptors: the client is refused, not left waiting while we spin. */
static void
testNoFds(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(Client) client = clientNew(fixture->path);
    g_autoptr(GArray) taken = g_array_new(FALSE, FALSE, sizeof(int));
    struct rlimit before;
    struct rlimit few;
    int fd;

    g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &before), ==, 0);
    few = before;
    few.rlim_cur = 64;
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &few), ==, 0);
    while ((fd = dup(client->fd)) >= 0)
        g_array_append_val(taken, fd);
    assertEnded(client);
    for (guint i = 0; i < taken->len; i++)
        close(g_array_index(taken, int, i));
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &before), ==, 0);
}

/* --- the socket ----------------------------------------------------------- */

static void
testSocketName(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;
    struct stat status;
    g_autofree char *kept = g_strconcat(fixture->path, ".kept", NULL);
    g_autofree char *longName = g_strnfill(200, 'x');

    g_assert_cmpint(stat(fixture->path, &status), ==, 0);
    g_assert_cmpuint(status.st_mode & 07777, ==, 0600);
    g_assert_null(dmQmpServerNew(fixture->path, commands, fixture, &error));
    g_assert_error(error, DM_ERROR, DM_ERROR_BUSY);
    g_clear_error(&error);
    g_assert_null(dmQmpServerNew(longName, commands, fixture, &error));
    g_assert_error(error, DM_ERROR, DM_ERROR_SYSTEM);
    g_clear_error(&error);

    /* A stale one: a link to the socket outlives the server. */
    g_assert_cmpint(link(fixture->path, kept), ==, 0);
    dmQmpServerFree(fixture->server);
    g_assert_cmpint(rename(kept, fixture->path), ==, 0);
    fixture->server = dmQmpServerNew(fixture->path, commands, fixture, &error);
    g_assert_no_error(error);

    /* A file that is no socket is left alone, on start and on end. */
    g_assert_cmpint(unlink(fixture->path), ==, 0);
    g_assert_true(g_file_set_contents(fixture->path, "x", 1, NULL));
    g_assert_null(dmQmpServerNew(fixture->path, commands, fixture, &error));
    g_assert_error(error, DM_ERROR, DM_ERROR_SYSTEM);
    g_clear_pointer(&fixture->server, dmQmpServerFree);
    g_assert_true(g_file_test(fixture->path, G_FILE_TEST_IS_REGULAR));
    g_assert_cmpint(unlink(fixture->path), ==, 0);
}

static int
listeningSocket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    g_assert_cmpint(bind(fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    g_assert_cmpint(listen(fd, 8), ==, 0);
    return fd;
}

static void
testPassedSocket(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(fixture->directory, "passed", NULL);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    DmQmpServer *server;
    Client *client;

    g_assert_null(dmQmpServerNewForSocket(fd, commands, fixture, &error));
    g_assert_error(error, DM_ERROR, DM_ERROR_ARGUMENT);
    close(fd);
    g_clear_error(&error);
    server = dmQmpServerNewForSocket(listeningSocket(path), commands, fixture, &error);
    g_assert_no_error(error);
    client = clientNegotiated(path);
    clientFree(client);
    dmQmpServerFree(server);
    g_assert_cmpint(unlink(path), ==, 0);
}

/* Another user, who reached the socket all the same. */
static void
testStranger(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *path = g_build_filename(fixture->directory, "open", NULL);
    DmQmpServer *server;
    Client *friend;
    int status;
    pid_t child;

    if (geteuid() != 0) {
        g_test_skip("only root can become somebody else");
        return;
    }
    server = dmQmpServerNewForSocket(listeningSocket(path), commands, fixture, NULL);
    g_assert_cmpint(chmod(fixture->directory, 0755), ==, 0);
    g_assert_cmpint(chmod(path, 0666), ==, 0);
    child = fork();
    if (child == 0) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        char byte;
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);

        g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
        if (setuid(65534) < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
            _exit(1);
        _exit(read(fd, &byte, 1) == 0 ? 0 : 2);
    }
    /* Both wait in the same queue, so once we are served the stranger has been refused, or comes later. */
    do {
        friend = clientNegotiated(path);
        clientFree(friend);
    } while (waitpid(child, &status, WNOHANG) == 0);
    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), ==, 0);
    dmQmpServerFree(server);
    g_assert_cmpint(unlink(path), ==, 0);
}

#define ADD(name, func) g_test_add("/qmp/server/" name, Fixture, NULL, setUp, func, tearDown)

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
    ADD("fds", testFds);
    ADD("fds-dropped", testFdsDropped);
    ADD("fds-flood", testFdsFlood);
    ADD("endless", testEndless);
    ADD("deaf-events", testDeafEvents);
    ADD("deaf-commands", testDeafCommands);
    ADD("clients-max", testClientsMax);
    ADD("no-fds", testNoFds);
    ADD("socket-name", testSocketName);
    ADD("passed-socket", testPassedSocket);
    ADD("stranger", testStranger);
    return g_test_run();
}
