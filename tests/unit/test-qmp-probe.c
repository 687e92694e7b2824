/*
 * Test: libxl's question before it uses a device model
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The client is a thread that does what libxl does (libxl_dm.c of Xen 4.20),
 * with the command line libxl uses.
 */

#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "device_model/dm_qmp_probe.h"

typedef struct {
    char *directory;
    GSocket *listener;
    GSocketAddress *address;
    const char *const *lines; /* what the client says, NULL at the end */
    char *heard;              /* all it heard */
} Fixture;

static void
setUp(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = NULL;

    fixture->directory = g_dir_make_tmp("qmp-XXXXXX", &error);
    g_assert_no_error(error);
    path = g_build_filename(fixture->directory, "qmp", NULL);
    fixture->address = g_unix_socket_address_new(path);
    fixture->listener = g_socket_new(G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, 0, &error);
    g_assert_no_error(error);
    g_assert_true(g_socket_bind(fixture->listener, fixture->address, FALSE, NULL));
    g_assert_true(g_socket_listen(fixture->listener, NULL));
    fixture->lines = data;
}

static void
tearDown(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_unlink(g_unix_socket_address_get_path(G_UNIX_SOCKET_ADDRESS(fixture->address)));
    g_rmdir(fixture->directory);
    g_object_unref(fixture->listener);
    g_object_unref(fixture->address);
    g_free(fixture->directory);
    g_free(fixture->heard);
}

static gpointer
clientThread(gpointer data)
{
    Fixture *fixture = data;
    g_autoptr(GSocketClient) client = g_socket_client_new();
    g_autoptr(GSocketConnection) connection =
        g_socket_client_connect(client, G_SOCKET_CONNECTABLE(fixture->address), NULL, NULL);
    g_autoptr(GDataInputStream) input = g_data_input_stream_new(g_io_stream_get_input_stream(G_IO_STREAM(connection)));
    GOutputStream *output = g_io_stream_get_output_stream(G_IO_STREAM(connection));
    GString *heard = g_string_new(NULL);

    g_data_input_stream_set_newline_type(input, G_DATA_STREAM_NEWLINE_TYPE_CR_LF);
    for (const char *const *line = fixture->lines;; line++) {
        g_autofree char *answer = g_data_input_stream_read_line(input, NULL, NULL, NULL);

        g_string_append(heard, answer);
        if (!*line)
            break;
        g_assert_true(g_output_stream_write_all(output, *line, strlen(*line), NULL, NULL, NULL));
    }
    g_io_stream_close(G_IO_STREAM(connection), NULL, NULL);
    fixture->heard = g_string_free(heard, FALSE);
    return NULL;
}

static int
runProbe(int fd)
{
    g_autofree char *chardev = g_strdup_printf("socket,id=libxl-cmd,fd=%d,server=on,wait=off", fd);
    const char *argv[] = {"xen-stubdom-dm",
                          "-S",
                          "-no-user-config",
                          "-nodefaults",
                          "-nographic",
                          "-machine",
                          "none,accel=xen",
                          "-chardev",
                          chardev,
                          "-mon",
                          "chardev=libxl-cmd,mode=control"};

    g_assert_true(dmQmpProbeWanted(G_N_ELEMENTS(argv), (char **)argv));
    return dmQmpProbeRun(G_N_ELEMENTS(argv), (char **)argv);
}

static const char *const libxlLines[] = {
    "{\"execute\":\"qmp_capabilities\",\"id\":1}\r\n",
    "{\"execute\":\"query-command-line-options\",\"id\":2}\r\n",
    "{\"execute\":\"quit\",\"id\":3}\r\n",
    NULL,
};

static void
testLibxl(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    GThread *thread = g_thread_new("client", clientThread, fixture);

    g_assert_cmpint(runProbe(dup(g_socket_get_fd(fixture->listener))), ==, 0);
    g_thread_join(thread);
    g_assert_true(g_str_has_prefix(fixture->heard, "{\"QMP\":{\"version\":{\"qemu\":{"));
    g_assert_true(
        g_str_has_suffix(fixture->heard, "{\"return\":{},\"id\":1}{\"return\":[],\"id\":2}{\"return\":{},\"id\":3}"));
}

static const char *const goneLines[] = {"{\"execute\":\"qmp_capabilities\",\"id\":1}\r\n", NULL};

/* A client that goes away without "quit". */
static void
testGone(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    GThread *thread = g_thread_new("client", clientThread, fixture);

    g_assert_cmpint(runProbe(dup(g_socket_get_fd(fixture->listener))), ==, 0);
    g_thread_join(thread);
    g_assert_true(g_str_has_suffix(fixture->heard, "{\"return\":{},\"id\":1}"));
}

/* A client that says "quit" and waits for us to go: the short deadline. */
static void
testStays(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(GSocketClient) client = g_socket_client_new();
    g_autoptr(GSocketConnection) connection =
        g_socket_client_connect(client, G_SOCKET_CONNECTABLE(fixture->address), NULL, NULL);
    static const char words[] = "{\"execute\":\"qmp_capabilities\"}{\"execute\":\"quit\"}";
    gint64 start = g_get_monotonic_time();

    g_assert_true(g_output_stream_write_all(g_io_stream_get_output_stream(G_IO_STREAM(connection)), words,
                                            strlen(words), NULL, NULL, NULL));
    g_assert_cmpint(runProbe(dup(g_socket_get_fd(fixture->listener))), ==, 0);
    g_assert_cmpint(g_get_monotonic_time() - start, <, (gint64)10 * G_USEC_PER_SEC);
}

static void
testWanted(void)
{
    const char *guest[] = {"dm", "-xen-domid", "1", "-machine", "xenfv"};
    const char *both[] = {"dm", "-machine", "none", "-xen-domid", "1"};
    const char *other[] = {"dm", "-machine", "nonesuch"};
    const char *cut[] = {"dm", "-machine"};
    const char *bare[] = {"dm", "-machine", "none"};

    g_assert_false(dmQmpProbeWanted(G_N_ELEMENTS(guest), (char **)guest));
    g_assert_false(dmQmpProbeWanted(G_N_ELEMENTS(both), (char **)both));
    g_assert_false(dmQmpProbeWanted(G_N_ELEMENTS(other), (char **)other));
    g_assert_false(dmQmpProbeWanted(G_N_ELEMENTS(cut), (char **)cut));
    g_assert_true(dmQmpProbeWanted(G_N_ELEMENTS(bare), (char **)bare));
}

/* Without a socket: an error at once, not a process that waits for nobody. */
static void
testNoSocket(void)
{
    static const char *const values[] = {"socket,id=libxl-cmd,path=/x", "socket,fd=x", "socket,fd=-1",
                                         "socket,fd=99999", "null,fd=0"};

    for (gsize i = 0; i < G_N_ELEMENTS(values); i++) {
        const char *argv[] = {"dm", "-machine", "none", "-chardev", values[i]};

        g_assert_cmpint(dmQmpProbeRun(G_N_ELEMENTS(argv), (char **)argv), ==, 1);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qmp/probe/wanted", testWanted);
    g_test_add_func("/qmp/probe/no-socket", testNoSocket);
    g_test_add("/qmp/probe/libxl", Fixture, libxlLines, setUp, testLibxl, tearDown);
    g_test_add("/qmp/probe/gone", Fixture, goneLines, setUp, testGone, tearDown);
    g_test_add("/qmp/probe/stays", Fixture, NULL, setUp, testStays, tearDown);
    return g_test_run();
}
