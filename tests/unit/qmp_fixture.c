/*
 * Test fixture: a QMP server in a directory of its own, and clients of it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "qmp_fixture.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

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
    QmpFixture *fixture = opaque;

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
    QmpFixture *fixture = opaque;

    dmQmpServerFree(g_steal_pointer(&fixture->server));
    dmQmpRequestReturn(request, NULL);
}

const DmQmpCommand qmpFixtureCommands[] = {
    {"echo", runEcho}, {"fail", runFail},   {"hold", runHold}, {"read-fd", runReadFd},
    {"huge", runHuge}, {"twice", runTwice}, {"free", runFree}, {NULL, NULL},
};

/* --- fixture and client --------------------------------------------------- */

static void
countGone(guint left G_GNUC_UNUSED, gpointer opaque)
{
    QmpFixture *fixture = opaque;

    fixture->gone++;
}

void
qmpFixtureSetUp(QmpFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;

    fixture->directory = g_dir_make_tmp("qmp-XXXXXX", &error);
    g_assert_no_error(error);
    fixture->path = g_build_filename(fixture->directory, "qmp", NULL);
    fixture->server = dmQmpServerNew(fixture->path, qmpFixtureCommands, fixture, &error);
    g_assert_no_error(error);
    dmQmpServerOnGone(fixture->server, countGone, fixture);
    g_queue_init(&fixture->held);
}

void
qmpFixtureTearDown(QmpFixture *fixture, gconstpointer data G_GNUC_UNUSED)
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
    QmpClient *client = opaque;
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

void
qmpClientListen(QmpClient *client)
{
    client->source = g_unix_fd_add(client->fd, G_IO_IN, clientInput, client);
}

QmpClient *
qmpClientNew(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    QmpClient *client = g_new0(QmpClient, 1);

    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(connect(client->fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    client->input = g_string_new(NULL);
    qmpClientListen(client);
    return client;
}

void
qmpClientFree(QmpClient *client)
{
    if (client->source)
        g_source_remove(client->source);
    close(client->fd);
    g_string_free(client->input, TRUE);
    g_free(client);
}

void
qmpClientSay(QmpClient *client, const char *words)
{
    g_assert_cmpint(write(client->fd, words, strlen(words)), ==, (ssize_t)strlen(words));
}

/* The next line, without its end, or NULL when the connection has ended. */
char *
qmpClientLine(QmpClient *client)
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

void
qmpClientAssertLine(QmpClient *client, const char *expected)
{
    g_autofree char *line = qmpClientLine(client);

    g_assert_cmpstr(line, ==, expected);
}

void
qmpClientSkipLine(QmpClient *client)
{
    g_autofree char *line = qmpClientLine(client);

    g_assert_nonnull(line);
}

void
qmpClientAssertEnded(QmpClient *client)
{
    g_autofree char *line = qmpClientLine(client);

    g_assert_null(line);
}

/* Lets everything that is ready happen. */
void
qmpFixtureSettle(void)
{
    while (g_main_context_iteration(NULL, FALSE))
        ;
}

QmpClient *
qmpClientNegotiated(const char *path)
{
    QmpClient *client = qmpClientNew(path);

    qmpClientSkipLine(client);
    qmpClientSay(client, "{\"execute\":\"qmp_capabilities\"}\r\n");
    qmpClientAssertLine(client, "{\"return\":{}}");
    return client;
}

/* Sends @words with @fds file descriptors that each read "a", "b", … */
void
qmpClientSayWithFds(QmpClient *client, const char *words, guint fds)
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

guint
qmpFixtureOpenFds(void)
{
    g_autoptr(GDir) directory = g_dir_open("/proc/self/fd", 0, NULL);
    guint count = 0;

    while (g_dir_read_name(directory))
        count++;
    return count;
}
