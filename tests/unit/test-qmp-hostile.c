/*
 * Test: the QMP server's bounds, with clients that misbehave
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
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
#include "qmp_fixture.h"

/* --- file descriptors ----------------------------------------------------- */

static void
testFds(QmpFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(QmpClient) client = qmpClientNegotiated(fixture->path);
    guint before = qmpFixtureOpenFds();

    qmpClientSayWithFds(client, "{\"execute\":\"read-fd\"}", 1);
    qmpClientAssertLine(client, "{\"return\":\"a\"}");
    /* As libxl sends it: the file descriptor with the first byte, in one go with what follows. */
    qmpClientSayWithFds(client, "{", 1);
    qmpClientSay(client, "\"execute\":\"read-fd\"}\r\n");
    qmpClientAssertLine(client, "{\"return\":\"a\"}");
    /* As others do: on a blank ahead of the command, which may come much later. */
    qmpClientSayWithFds(client, " ", 1);
    qmpFixtureSettle();
    qmpClientSay(client, "{\"execute\":\"read-fd\"}");
    qmpClientAssertLine(client, "{\"return\":\"a\"}");
    /* Behind a command that takes none, in one go: both are read at once. */
    qmpClientSay(client, "{\"execute\":\"echo\"}");
    qmpClientSayWithFds(client, "{", 2);
    qmpClientSay(client, "\"execute\":\"read-fd\"}{\"execute\":\"read-fd\"}{\"execute\":\"read-fd\"}");
    qmpClientAssertLine(client, "{\"return\":{}}");
    qmpClientAssertLine(client, "{\"return\":\"a\"}");
    qmpClientAssertLine(client, "{\"return\":\"b\"}");
    qmpClientAssertLine(client, "{\"return\":false}");
    g_assert_cmpuint(qmpFixtureOpenFds(), ==, before);
}

/* One that no command took is not left for the next. */
static void
testFdsDropped(QmpFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(QmpClient) client = qmpClientNegotiated(fixture->path);
    guint before = qmpFixtureOpenFds();

    qmpClientSayWithFds(client, "{\"execute\":\"nonesuch\"}", DM_QMP_FDS_MAX);
    qmpClientSkipLine(client);
    g_assert_cmpuint(qmpFixtureOpenFds(), ==, before);
    qmpClientSay(client, "{\"execute\":\"read-fd\"}");
    qmpClientAssertLine(client, "{\"return\":false}");
    /* Kept for a command in work, dropped with its answer. */
    qmpClientSayWithFds(client, "{\"execute\":\"hold\"}{\"execute\":\"echo\"}", 1);
    qmpClientAssertLine(client, "{\"return\":{}}");
    g_assert_cmpuint(qmpFixtureOpenFds(), ==, before + 1);
    dmQmpRequestReturn(g_queue_pop_head(&fixture->held), NULL);
    g_assert_cmpuint(qmpFixtureOpenFds(), ==, before);
    qmpClientAssertLine(client, "{\"return\":{}}");
    /* But not with the answer to a command that came before it. */
    qmpClientSay(client, "{\"execute\":\"hold\"}");
    while (g_queue_is_empty(&fixture->held))
        g_main_context_iteration(NULL, TRUE);
    qmpClientSayWithFds(client, " ", 1);
    qmpFixtureSettle();
    dmQmpRequestReturn(g_queue_pop_head(&fixture->held), NULL);
    qmpClientAssertLine(client, "{\"return\":{}}");
    qmpClientSay(client, "{\"execute\":\"read-fd\"}");
    qmpClientAssertLine(client, "{\"return\":\"a\"}");
}

static void
testFdsFlood(QmpFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    guint before = qmpFixtureOpenFds();

    for (guint many = 1; many <= 2; many++) {
        QmpClient *client = qmpClientNegotiated(fixture->path);

        /* At once more than fit, or piled up on blanks. */
        for (guint i = 0; many == 1 && i <= DM_QMP_FDS_MAX; i++)
            qmpClientSayWithFds(client, " ", 1);
        if (many == 2)
            qmpClientSayWithFds(client, " ", 2 * DM_QMP_FDS_MAX);
        qmpClientAssertEnded(client);
        qmpClientFree(client);
        g_assert_cmpuint(qmpFixtureOpenFds(), ==, before);
    }
}

/* --- bounds --------------------------------------------------------------- */

static void
testEndless(QmpFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(QmpClient) client = qmpClientNegotiated(fixture->path);
    g_autofree char *filling = g_strnfill(DM_QMP_INPUT_MAX, 'x');
    g_autofree char *line = NULL;

    qmpClientSay(client, "{\"execute\":\"");
    qmpClientSay(client, filling);
    line = qmpClientLine(client);
    g_assert_nonnull(strstr(line, "longer than"));
    qmpClientAssertEnded(client);
}

/* A client that does not read is closed by what it is told unasked … */
static void
testDeafEvents(QmpFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(QmpClient) client = qmpClientNegotiated(fixture->path);
    g_autoptr(QmpClient) other = qmpClientNegotiated(fixture->path);
    guint sent = 0;

    g_clear_handle_id(&client->source, g_source_remove);
    while (fixture->gone == 0) {
        dmQmpServerEvent(fixture->server, "STOP", NULL);
        g_assert_cmpuint(++sent, <, 1000000);
        qmpFixtureSettle();
    }
    g_assert_cmpuint(fixture->gone, ==, 1);
    g_assert_false(other->ended);
}

/* … and by a huge answer, but asking without reading only holds up itself. */
static void
testDeafCommands(QmpFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    static const char word[] = "{\"execute\":\"query-commands\"}";
    g_autoptr(QmpClient) client = qmpClientNegotiated(fixture->path);
    g_autoptr(QmpClient) other = qmpClientNegotiated(fixture->path);
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
        qmpFixtureSettle();
    }
    qmpClientSay(other, "{\"execute\":\"echo\"}");
    qmpClientAssertLine(other, "{\"return\":{}}");
    qmpClientListen(client);
    while (heard < said) {
        g_autofree char *line = qmpClientLine(client);

        g_assert_true(g_str_has_prefix(line, "{\"return\":["));
        heard++;
    }
    qmpClientSay(client, "{\"execute\":\"huge\"}");
    qmpClientAssertEnded(client);
}

/* The next line of a client that reads only here, and no more than it needs. */
static char *
slowLine(QmpClient *client)
{
    char *end;
    char *line;

    while (!(end = strstr(client->input->str, "\r\n"))) {
        char buffer[1024];
        ssize_t n = read(client->fd, buffer, sizeof(buffer));

        g_assert_cmpint(n, >, 0);
        g_string_append_len(client->input, buffer, n);
        qmpFixtureSettle();
    }
    line = g_strndup(client->input->str, (gsize)(end - client->input->str));
    g_string_erase(client->input, 0, end + 2 - client->input->str);
    return line;
}

/* One that reads, but always lags behind by more than the kernel holds for it, hears everything in order. */
static void
testSlow(QmpFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    const gint64 lag = 40;
    g_autoptr(QmpClient) client = qmpClientNegotiated(fixture->path);
    g_autofree char *filling = g_strnfill(8192, 'x');

    g_clear_handle_id(&client->source, g_source_remove);
    for (gint64 i = 0; i < 5 * lag; i++) {
        JsonObject *details = json_object_new();

        json_object_set_int_member(details, "n", i);
        json_object_set_string_member(details, "filling", filling);
        dmQmpServerEvent(fixture->server, "STOP", details);
        if (i >= lag) {
            g_autofree char *line = slowLine(client);
            g_autoptr(JsonNode) event = json_from_string(line, NULL);

            details = json_object_get_object_member(json_node_get_object(event), "data");
            g_assert_cmpint(json_object_get_int_member(details, "n"), ==, i - lag);
        }
    }
    g_assert_cmpuint(fixture->gone, ==, 0);
}

static void
testClientsMax(QmpFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    QmpClient *clients[DM_QMP_CLIENTS_MAX];
    QmpClient *more;

    for (guint i = 0; i < DM_QMP_CLIENTS_MAX; i++)
        clients[i] = qmpClientNegotiated(fixture->path);
    more = qmpClientNew(fixture->path);
    qmpClientAssertEnded(more);
    qmpClientFree(more);
    qmpClientFree(clients[0]);
    while (fixture->gone == 0)
        g_main_context_iteration(NULL, TRUE);
    clients[0] = qmpClientNegotiated(fixture->path);
    for (guint i = 0; i < DM_QMP_CLIENTS_MAX; i++)
        qmpClientFree(clients[i]);
}

/* Out of file descriptors: the client is refused, not left waiting while we spin. */
static void
testNoFds(QmpFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(QmpClient) client = qmpClientNew(fixture->path);
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
    qmpClientAssertEnded(client);
    for (guint i = 0; i < taken->len; i++)
        close(g_array_index(taken, int, i));
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &before), ==, 0);
}

/* --- the socket ----------------------------------------------------------- */

static void
testSocketName(QmpFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;
    struct stat status;
    g_autofree char *kept = g_strconcat(fixture->path, ".kept", NULL);
    g_autofree char *longName = g_strnfill(200, 'x');

    g_assert_cmpint(stat(fixture->path, &status), ==, 0);
    g_assert_cmpuint(status.st_mode & 07777, ==, 0600);
    g_assert_null(dmQmpServerNew(fixture->path, qmpFixtureCommands, fixture, &error));
    g_assert_error(error, DM_ERROR, DM_ERROR_BUSY);
    g_clear_error(&error);
    g_assert_null(dmQmpServerNew(longName, qmpFixtureCommands, fixture, &error));
    g_assert_error(error, DM_ERROR, DM_ERROR_SYSTEM);
    g_clear_error(&error);

    /* A stale one: a link to the socket outlives the server. */
    g_assert_cmpint(link(fixture->path, kept), ==, 0);
    dmQmpServerFree(fixture->server);
    g_assert_cmpint(rename(kept, fixture->path), ==, 0);
    fixture->server = dmQmpServerNew(fixture->path, qmpFixtureCommands, fixture, &error);
    g_assert_no_error(error);

    /* A file that is no socket is left alone, on start and on end. */
    g_assert_cmpint(unlink(fixture->path), ==, 0);
    g_assert_true(g_file_set_contents(fixture->path, "x", 1, NULL));
    g_assert_null(dmQmpServerNew(fixture->path, qmpFixtureCommands, fixture, &error));
    g_assert_error(error, DM_ERROR, DM_ERROR_SYSTEM);
    dmQmpServerFree(g_steal_pointer(&fixture->server));
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
testPassedSocket(QmpFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(fixture->directory, "passed", NULL);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    DmQmpServer *server;
    QmpClient *client;

    g_assert_null(dmQmpServerNewForSocket(fd, qmpFixtureCommands, fixture, &error));
    g_assert_error(error, DM_ERROR, DM_ERROR_ARGUMENT);
    close(fd);
    g_clear_error(&error);
    server = dmQmpServerNewForSocket(listeningSocket(path), qmpFixtureCommands, fixture, &error);
    g_assert_no_error(error);
    client = qmpClientNegotiated(path);
    qmpClientFree(client);
    dmQmpServerFree(server);
    g_assert_cmpint(unlink(path), ==, 0);
}

static void
childEnded(GPid child G_GNUC_UNUSED, gint waitStatus, gpointer opaque)
{
    *(int *)opaque = waitStatus;
}

/* Another user, who reached the socket all the same. */
static void
testStranger(QmpFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *path = g_build_filename(fixture->directory, "open", NULL);
    DmQmpServer *server;
    int status = -1;
    pid_t child;

    if (geteuid() != 0) {
        g_test_skip("only root can become somebody else");
        return;
    }
    server = dmQmpServerNewForSocket(listeningSocket(path), qmpFixtureCommands, fixture, NULL);
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
    g_child_watch_add(child, childEnded, &status);
    while (status < 0)
        g_main_context_iteration(NULL, TRUE);
    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), ==, 0);
    dmQmpServerFree(server);
    g_assert_cmpint(unlink(path), ==, 0);
}

#define ADD(name, func) g_test_add("/qmp/hostile/" name, QmpFixture, NULL, qmpFixtureSetUp, func, qmpFixtureTearDown)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("fds", testFds);
    ADD("fds-dropped", testFdsDropped);
    ADD("fds-flood", testFdsFlood);
    ADD("endless", testEndless);
    ADD("deaf-events", testDeafEvents);
    ADD("deaf-commands", testDeafCommands);
    ADD("slow", testSlow);
    ADD("clients-max", testClientsMax);
    ADD("no-fds", testNoFds);
    ADD("socket-name", testSocketName);
    ADD("passed-socket", testPassedSocket);
    ADD("stranger", testStranger);
    return g_test_run();
}
