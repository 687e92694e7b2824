/*
 * Tests of the dom0 ends of serial ports
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Real ptys, files and sockets, in a temporary directory and on the loopback
 * interface.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>

#include "dm_error.h"
#include "dm_serial.h"

typedef struct {
    char *directory;
    char *path;
    guint calls;
    int fd;
} Fixture;

static void
setUp(Fixture *fixture, gconstpointer data)
{
    fixture->directory = g_dir_make_tmp("test-serial-XXXXXX", NULL);
    g_assert_nonnull(fixture->directory);
    fixture->path = g_build_filename(fixture->directory, "port", NULL);
    fixture->fd = -2;
}

static void
tearDown(Fixture *fixture, gconstpointer data)
{
    if (fixture->fd >= 0) {
        close(fixture->fd);
    }
    g_remove(fixture->path);
    g_assert_cmpint(g_rmdir(fixture->directory), ==, 0);
    g_free(fixture->directory);
    g_free(fixture->path);
}

static void
takePeer(DmSerial *serial, int fd, gpointer opaque)
{
    Fixture *fixture = opaque;

    if (fixture->fd >= 0) {
        close(fixture->fd);
    }
    fixture->fd = fd;
    fixture->calls++;
}

static void
waitCalls(const Fixture *fixture, guint calls)
{
    while (fixture->calls < calls) {
        g_main_context_iteration(NULL, TRUE);
    }
}

static void
testParse(Fixture *fixture, gconstpointer data)
{
    static const struct {
        const char *spec;
        const char *filename; /* NULL: an error */
        DmError code;
    } rows[] = {
        {"null", "null", 0},
        {"none", "null", 0},
        {"pty", "pty:", 0},
        {"file:/tmp/x", "file", 0},
        {"/dev/ttyS0", "serial", 0},
        {"unix:/run/x", "unix:/run/x", 0},
        {"unix:/run/x,server,nowait", "unix:/run/x,server=on", 0},
        {"unix:/run/x,server=on,wait=off", "unix:/run/x,server=on", 0},
        {"tcp:127.0.0.1:4555,server,nowait,nodelay", "tcp:127.0.0.1:4555,server=on", 0},
        {"tcp::4555,server=on,wait=off", "tcp::4555,server=on", 0},
        {"tcp:[::1]:4555,server=on", "tcp:[::1]:4555,server=on", 0},
        {"tcp:host.example:1", "tcp:host.example:1", 0},
        {"", NULL, DM_ERROR_UNSUPPORTED},
        {"stdio", NULL, DM_ERROR_UNSUPPORTED},
        {"vc:80Cx24C", NULL, DM_ERROR_UNSUPPORTED},
        {"mon:stdio", NULL, DM_ERROR_UNSUPPORTED},
        {"udp:1.2.3.4:5", NULL, DM_ERROR_UNSUPPORTED},
        {"telnet:1.2.3.4:5,server", NULL, DM_ERROR_UNSUPPORTED},
        {"file:relative", NULL, DM_ERROR_UNSUPPORTED},
        {"unix:/run/x,frobnicate", NULL, DM_ERROR_UNSUPPORTED},
        {"unix:/run/x,", NULL, DM_ERROR_UNSUPPORTED},
        {"unix:relative", NULL, DM_ERROR_ARGUMENT},
        {"tcp:nowhere", NULL, DM_ERROR_ARGUMENT},
        {"tcp::4555", NULL, DM_ERROR_ARGUMENT},
        {"tcp:h:0,server", NULL, DM_ERROR_ARGUMENT},
        {"tcp:h:65536,server", NULL, DM_ERROR_ARGUMENT},
        {"tcp:h:12x,server", NULL, DM_ERROR_ARGUMENT},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(DmSerial) serial = dmSerialNew(rows[i].spec, &error);

        if (rows[i].filename) {
            g_autofree char *filename = NULL;

            g_assert_no_error(error);
            filename = dmSerialFilename(serial);
            g_assert_cmpstr(filename, ==, rows[i].filename);
        } else {
            g_assert_error(error, DM_ERROR, (int)rows[i].code);
            g_assert_null(serial);
        }
    }
}

static void
testWaitWarns(Fixture *fixture, gconstpointer data)
{
    g_autoptr(DmSerial) serial = NULL;

    g_test_expect_message(NULL, G_LOG_LEVEL_WARNING, "*will not wait*");
    serial = dmSerialNew("tcp:127.0.0.1:1,server,wait", NULL);
    g_test_assert_expected_messages();
    g_assert_nonnull(serial);
}

static void
testNull(Fixture *fixture, gconstpointer data)
{
    g_autoptr(DmSerial) serial = dmSerialNew("null", NULL);

    g_assert_true(dmSerialStart(serial, takePeer, fixture, NULL));
    g_assert_cmpuint(fixture->calls, ==, 0);
    waitCalls(fixture, 1);
    g_assert_cmpint(fixture->fd, ==, -1);
    g_assert_null(dmSerialTty(serial));
}

static void
testPty(Fixture *fixture, gconstpointer data)
{
    g_autoptr(DmSerial) serial = dmSerialNew("pty", NULL);
    g_autofree char *filename = NULL;
    g_autofree char *expected = NULL;
    struct stat status;
    char bytes[16];
    int user;

    g_assert_true(dmSerialStart(serial, takePeer, fixture, NULL));
    waitCalls(fixture, 1);
    g_assert_true(g_str_has_prefix(dmSerialTty(serial), "/dev/pts/"));
    filename = dmSerialFilename(serial);
    expected = g_strconcat("pty:", dmSerialTty(serial), NULL);
    g_assert_cmpstr(filename, ==, expected);
    g_assert_cmpint(stat(dmSerialTty(serial), &status), ==, 0);
    g_assert_cmpuint(status.st_mode & 0777, ==, 0600);
    for (guint i = 0; i < 2; i++) {
        user = open(dmSerialTty(serial), O_RDWR | O_NOCTTY | O_CLOEXEC);
        g_assert_cmpint(user, >=, 0);
        g_assert_cmpint(write(fixture->fd, "a\n\x03", 3), ==, 3);
        g_assert_cmpint(read(user, bytes, sizeof(bytes)), ==, 3);
        g_assert_cmpmem(bytes, 3, "a\n\x03", 3);
        g_assert_cmpint(write(user, "b\r", 2), ==, 2);
        g_assert_cmpint(read(fixture->fd, bytes, sizeof(bytes)), ==, 2);
        g_assert_cmpmem(bytes, 2, "b\r", 2);
        close(user);
        /* No hang-up when the user leaves. */
        g_assert_cmpint(read(fixture->fd, bytes, sizeof(bytes)), ==, -1);
        g_assert_cmpint(errno, ==, EAGAIN);
    }
}

static void
testFile(Fixture *fixture, gconstpointer data)
{
    g_autofree char *spec = g_strconcat("file:", fixture->path, NULL);
    g_autofree char *content = NULL;
    struct stat status;

    for (guint i = 1; i <= 2; i++) {
        g_autoptr(DmSerial) serial = dmSerialNew(spec, NULL);

        g_assert_true(dmSerialStart(serial, takePeer, fixture, NULL));
        waitCalls(fixture, i);
        g_assert_cmpint(write(fixture->fd, "x\n", 2), ==, 2);
    }
    g_assert_true(g_file_get_contents(fixture->path, &content, NULL, NULL));
    g_assert_cmpstr(content, ==, "x\nx\n");
    g_assert_cmpint(stat(fixture->path, &status), ==, 0);
    g_assert_cmpuint(status.st_mode & 0777, ==, 0600);
}

static void
testStartFails(Fixture *fixture, gconstpointer data)
{
    const char *const kinds[] = {"file:%s/none/x", "%s/none", "unix:%s/none/x,server", "%s"};

    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_auto(GStrv) parts = g_strsplit(kinds[i], "%s", 2);
        g_autofree char *spec = g_strjoinv(fixture->directory, parts);
        g_autoptr(DmSerial) serial = dmSerialNew(spec, NULL);
        g_autoptr(GError) error = NULL;

        g_assert_false(dmSerialStart(serial, takePeer, fixture, &error));
        g_assert_error(error, DM_ERROR, DM_ERROR_SYSTEM);
        g_assert_cmpuint(fixture->calls, ==, 0);
    }
}

static void
testDevice(Fixture *fixture, gconstpointer data)
{
    g_autoptr(DmSerial) serial = dmSerialNew("/dev/null", NULL);
    g_autoptr(DmSerial) file = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(dmSerialStart(serial, takePeer, fixture, NULL));
    waitCalls(fixture, 1);
    g_assert_cmpint(fixture->fd, >=, 0);
    g_assert_true(g_file_set_contents(fixture->path, "", 0, NULL));
    file = dmSerialNew(fixture->path, NULL);
    g_assert_false(dmSerialStart(file, takePeer, fixture, &error));
    g_assert_error(error, DM_ERROR, DM_ERROR_ARGUMENT);
}

static int
connectUnix(const char *path)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(name.sun_path, path, sizeof(name.sun_path));
    g_assert_cmpint(connect(fd, (struct sockaddr *)&name, sizeof(name)), ==, 0);
    return fd;
}

static void
testUnixServer(Fixture *fixture, gconstpointer data)
{
    g_autofree char *spec = g_strconcat("unix:", fixture->path, ",server,nowait", NULL);
    DmSerial *serial = dmSerialNew(spec, NULL);
    g_autoptr(DmSerial) second = dmSerialNew(spec, NULL);
    g_autoptr(GError) error = NULL;
    struct stat status;
    guint8 byte;
    int first;
    int next;

    g_assert_true(dmSerialStart(serial, takePeer, fixture, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(fixture->calls, ==, 0);
    g_assert_cmpint(stat(fixture->path, &status), ==, 0);
    g_assert_cmpuint(status.st_mode & 0777, ==, 0600);
    first = connectUnix(fixture->path);
    waitCalls(fixture, 1);
    g_assert_cmpint(write(fixture->fd, "1", 1), ==, 1);
    g_assert_cmpint(read(first, &byte, 1), ==, 1);
    /* The second client waits until the first one is gone. */
    next = connectUnix(fixture->path);
    while (g_main_context_iteration(NULL, FALSE)) {
    }
    g_assert_cmpuint(fixture->calls, ==, 1);
    close(first);
    dmSerialPeerClosed(serial);
    waitCalls(fixture, 2);
    g_assert_cmpint(write(fixture->fd, "2", 1), ==, 1);
    g_assert_cmpint(read(next, &byte, 1), ==, 1);
    g_assert_cmpint(byte, ==, '2');
    close(next);
    /* One in use is not taken away. */
    g_assert_false(dmSerialStart(second, takePeer, fixture, &error));
    g_assert_error(error, DM_ERROR, DM_ERROR_SYSTEM);
    dmSerialFree(serial);
    g_assert_cmpint(stat(fixture->path, &status), ==, -1);
}

static void
testUnixStale(Fixture *fixture, gconstpointer data)
{
    g_autofree char *spec = g_strconcat("unix:", fixture->path, ",server=on", NULL);
    g_autoptr(DmSerial) serial = dmSerialNew(spec, NULL);
    g_autoptr(GError) error = NULL;
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(name.sun_path, fixture->path, sizeof(name.sun_path));
    g_assert_cmpint(bind(fd, (struct sockaddr *)&name, sizeof(name)), ==, 0);
    close(fd);
    g_assert_true(dmSerialStart(serial, takePeer, fixture, &error));
    g_assert_no_error(error);
}

/* The peer is not there yet, comes, goes, and comes back. */
static void
testUnixClient(Fixture *fixture, gconstpointer data)
{
    g_autofree char *spec = g_strconcat("unix:", fixture->path, NULL);
    g_autoptr(DmSerial) serial = dmSerialNew(spec, NULL);
    g_autoptr(GSocketListener) listener = g_socket_listener_new();
    g_autoptr(GSocketAddress) address = g_unix_socket_address_new(fixture->path);

    g_assert_true(dmSerialStart(serial, takePeer, fixture, NULL));
    g_assert_cmpuint(fixture->calls, ==, 0);
    g_assert_true(g_socket_listener_add_address(listener, address, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT,
                                                NULL, NULL, NULL));
    waitCalls(fixture, 1);
    g_assert_cmpint(fixture->fd, >=, 0);
    dmSerialPeerClosed(serial);
    waitCalls(fixture, 2);
}

static void
testTcp(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GSocketListener) listener = g_socket_listener_new();
    guint16 port = g_socket_listener_add_any_inet_port(listener, NULL, NULL);
    g_autofree char *clientSpec = g_strdup_printf("tcp:localhost:%u", port);
    g_autofree char *serverSpec = NULL;
    g_autoptr(DmSerial) client = dmSerialNew(clientSpec, NULL);
    g_autoptr(DmSerial) server = NULL;
    g_autoptr(DmSerial) other = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_cmpuint(port, !=, 0);
    g_assert_true(dmSerialStart(client, takePeer, fixture, NULL));
    waitCalls(fixture, 1);
    g_socket_listener_close(listener);
    /* The same port, now listened on by a serial port, and connected to by another. */
    serverSpec = g_strdup_printf("tcp:127.0.0.1:%u,server,nowait", port);
    server = dmSerialNew(serverSpec, NULL);
    g_assert_true(dmSerialStart(server, takePeer, fixture, &error));
    g_assert_no_error(error);
    other = dmSerialNew(clientSpec, NULL);
    g_assert_true(dmSerialStart(other, takePeer, fixture, NULL));
    waitCalls(fixture, 3);
}

static void
testFreeWhileConnecting(Fixture *fixture, gconstpointer data)
{
    g_autofree char *spec = g_strconcat("unix:", fixture->path, NULL);
    DmSerial *serial = dmSerialNew(spec, NULL);

    g_assert_true(dmSerialStart(serial, takePeer, fixture, NULL));
    dmSerialFree(serial);
    while (g_main_context_iteration(NULL, FALSE)) {
    }
    g_assert_cmpuint(fixture->calls, ==, 0);
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*func)(Fixture *fixture, gconstpointer data);
    } tests[] = {
        {"/serial/parse", testParse},
        {"/serial/wait-warns", testWaitWarns},
        {"/serial/null", testNull},
        {"/serial/pty", testPty},
        {"/serial/file", testFile},
        {"/serial/start-fails", testStartFails},
        {"/serial/device", testDevice},
        {"/serial/unix-server", testUnixServer},
        {"/serial/unix-stale", testUnixStale},
        {"/serial/unix-client", testUnixClient},
        {"/serial/tcp", testTcp},
        {"/serial/free-while-connecting", testFreeWhileConnecting},
    };

    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_test_add(tests[i].name, Fixture, NULL, setUp, tests[i].func, tearDown);
    }
    return g_test_run();
}
