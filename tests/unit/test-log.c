/*
 * Tests of the log of console 0
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Files in a temporary directory, and a real pty for what xenconsoled does.
 */

#include <fcntl.h>
#include <pty.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "dm_error.h"
#include "dm_log.h"

typedef struct {
    char *directory;
    char *path;
    char *old;
} Fixture;

static void
setUp(Fixture *fixture, gconstpointer data)
{
    fixture->directory = g_dir_make_tmp("test-log-XXXXXX", NULL);
    g_assert_nonnull(fixture->directory);
    fixture->path = g_build_filename(fixture->directory, "console.log", NULL);
    fixture->old = g_strconcat(fixture->path, ".1", NULL);
}

static void
tearDown(Fixture *fixture, gconstpointer data)
{
    g_remove(fixture->path);
    g_remove(fixture->old);
    g_assert_cmpint(g_rmdir(fixture->directory), ==, 0);
    g_free(fixture->directory);
    g_free(fixture->path);
    g_free(fixture->old);
}

static char *
readFile(const char *path)
{
    char *content = NULL;

    g_assert_true(g_file_get_contents(path, &content, NULL, NULL));
    return content;
}

static void
assertFile(const char *path, const char *expected)
{
    g_autofree char *content = readFile(path);

    g_assert_cmpstr(content, ==, expected);
}

static void
testSanitise(Fixture *fixture, gconstpointer data)
{
    static const char text[] = "plain\r\nesc \x1b[31m\ta\rb\r\r\nnul \0 high \xc3\xa9 \x7f\nend";
    g_autoptr(GError) error = NULL;
    g_autofree char *tail = NULL;
    DmLog *log = dmLogOpen(fixture->path, 65536, &error);

    g_assert_no_error(error);
    /* Byte for byte, since a CR and its LF may come apart. */
    for (gsize i = 0; i < sizeof(text) - 1; i++) {
        dmLogWrite(log, text + i, 1);
    }
    assertFile(fixture->path, "plain\nesc \\x1b[31m\ta\\x0db\nnul \\x00 high \\xc3\\xa9 \\x7f\n");
    tail = dmLogTail(log, 2);
    g_assert_cmpstr(tail, ==, "nul \\x00 high \\xc3\\xa9 \\x7f\nend\n");
    dmLogClose(log);
    assertFile(fixture->path, "plain\nesc \\x1b[31m\ta\\x0db\nnul \\x00 high \\xc3\\xa9 \\x7f\nend\n");
}

static void
testTail(Fixture *fixture, gconstpointer data)
{
    g_autoptr(DmLog) log = dmLogOpen(fixture->path, 65536, NULL);
    g_autofree char *none = dmLogTail(log, 5);
    g_autofree char *zero = NULL;
    g_autofree char *two = NULL;
    g_autofree char *all = NULL;

    g_assert_cmpstr(none, ==, "");
    dmLogWrite(log, "one\ntwo\nthree\n", 14);
    zero = dmLogTail(log, 0);
    two = dmLogTail(log, 2);
    all = dmLogTail(log, 100);
    g_assert_cmpstr(zero, ==, "");
    g_assert_cmpstr(two, ==, "two\nthree\n");
    g_assert_cmpstr(all, ==, "one\ntwo\nthree\n");
}

/* However much comes, two files of the limit, and a bounded tail that starts with a whole line. */
static void
testFlood(Fixture *fixture, gconstpointer data)
{
    static const gsize limit = 32768;
    g_autoptr(DmLog) log = dmLogOpen(fixture->path, limit, NULL);
    g_autofree char *tail = NULL;
    struct stat status;

    for (guint i = 0; i < 20000; i++) {
        g_autofree char *line = g_strdup_printf("line %06u\n", i);

        dmLogWrite(log, line, strlen(line));
    }
    g_assert_cmpint(stat(fixture->path, &status), ==, 0);
    g_assert_cmpuint((gsize)status.st_size, <=, limit);
    g_assert_cmpint(stat(fixture->old, &status), ==, 0);
    g_assert_cmpuint((gsize)status.st_size, <=, limit);
    g_assert_cmpuint((gsize)status.st_size, >, limit - 100);
    tail = dmLogTail(log, 100000);
    g_assert_cmpuint(strlen(tail), <=, DM_LOG_TAIL_MAX);
    g_assert_cmpuint(strlen(tail), >, DM_LOG_TAIL_MAX / 2);
    g_assert_true(g_str_has_prefix(tail, "line "));
    g_assert_true(g_str_has_suffix(tail, "line 019999\n"));
    g_assert_cmpuint(dmLogLost(log), ==, 0);
}

static void
testLongLine(Fixture *fixture, gconstpointer data)
{
    g_autoptr(DmLog) log = dmLogOpen(fixture->path, 1 << 20, NULL);
    static char bytes[100000];
    g_autofree char *content = NULL;
    g_auto(GStrv) lines = NULL;

    memset(bytes, '\x01', sizeof(bytes));
    dmLogWrite(log, bytes, sizeof(bytes));
    content = readFile(fixture->path);
    lines = g_strsplit(content, "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), >, 300);
    for (guint i = 0; lines[i]; i++) {
        g_assert_cmpuint(strlen(lines[i]), <=, DM_LOG_LINE_MAX + 3);
    }
}

static void
testAppend(Fixture *fixture, gconstpointer data)
{
    struct stat status;

    for (guint i = 0; i < 2; i++) {
        g_autoptr(DmLog) log = dmLogOpen(fixture->path, 65536, NULL);

        dmLogWrite(log, "again\n", 6);
    }
    assertFile(fixture->path, "again\nagain\n");
    g_assert_cmpint(stat(fixture->path, &status), ==, 0);
    g_assert_cmpuint(status.st_mode & 0777, ==, 0600);
}

static void
testOpenFails(Fixture *fixture, gconstpointer data)
{
    g_autofree char *missing = g_build_filename(fixture->directory, "none", "log", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_null(dmLogOpen(missing, 65536, &error));
    g_assert_error(error, DM_ERROR, DM_ERROR_SYSTEM);
    g_clear_error(&error);
    g_assert_null(dmLogOpen("/dev/null", 65536, &error));
    g_assert_error(error, DM_ERROR, DM_ERROR_SYSTEM);
    g_clear_error(&error);
    /* A link that somebody planted is not followed. */
    g_assert_cmpint(symlink("/dev/full", fixture->path), ==, 0);
    g_assert_null(dmLogOpen(fixture->path, 65536, &error));
    g_assert_error(error, DM_ERROR, DM_ERROR_SYSTEM);
}

static gboolean
logHas(DmLog *log, const char *text)
{
    g_autofree char *tail = dmLogTail(log, 100);

    return strstr(tail, text) != NULL;
}

static void
testTty(Fixture *fixture, gconstpointer data)
{
    g_autoptr(DmLog) log = dmLogOpen(fixture->path, 65536, NULL);
    g_autoptr(GError) error = NULL;
    char name[64];
    int master;
    int slave;

    g_assert_cmpint(openpty(&master, &slave, name, NULL, NULL), ==, 0);
    g_assert_true(dmLogAttachTty(log, name, &error));
    g_assert_no_error(error);
    close(slave);
    g_assert_cmpint(write(master, "from xenconsoled\r\n", 18), ==, 18);
    while (!logHas(log, "from xenconsoled\n")) {
        g_main_context_iteration(NULL, TRUE);
    }
    /* Not echoed: that would go to the stubdomain. */
    g_assert_cmpint(fcntl(master, F_SETFL, O_NONBLOCK), ==, 0);
    g_assert_cmpint(read(master, name, sizeof(name)), ==, -1);
    g_assert_cmpint(write(master, "last words", 10), ==, 10);
    dmLogDrain(log);
    g_assert_true(logHas(log, "last words\n"));
    /* A hang-up ends it without a busy loop. */
    close(master);
    while (g_main_context_iteration(NULL, FALSE)) {
    }
    dmLogDrain(log);
}

/* A flood is read at a bounded rate: after the burst the loop rests. */
static void
testTtyRate(Fixture *fixture, gconstpointer data)
{
    g_autoptr(DmLog) log = dmLogOpen(fixture->path, 8 << 20, NULL);
    struct stat status = {0};
    char name[64];
    char bytes[1024];
    gint64 start = g_get_monotonic_time();
    guint turns = 0;
    int master;
    int slave;

    memset(bytes, 'f', sizeof(bytes));
    g_assert_cmpint(openpty(&master, &slave, name, NULL, NULL), ==, 0);
    g_assert_cmpint(fcntl(master, F_SETFL, O_NONBLOCK), ==, 0);
    g_assert_true(dmLogAttachTty(log, name, NULL));
    while (status.st_size < DM_LOG_BURST + DM_LOG_RATE / 2) {
        while (write(master, bytes, sizeof(bytes)) > 0) {
        }
        g_main_context_iteration(NULL, TRUE);
        turns++;
        g_assert_cmpint(stat(fixture->path, &status), ==, 0);
    }
    g_assert_cmpint(g_get_monotonic_time() - start, >=, G_USEC_PER_SEC * 3 / 8);
    g_assert_cmpuint(turns, <, 1000);
    close(master);
    close(slave);
}

static void
testTtyName(Fixture *fixture, gconstpointer data)
{
    static const char *const names[] = {"",
                                        "/dev/null",
                                        "/dev/pts/",
                                        "/dev/pts/../null",
                                        "/dev/pts/1a",
                                        "/dev/pts/1\n",
                                        "/etc/passwd",
                                        "dev/pts/1",
                                        "/dev/pts/0000000001"};
    g_autoptr(DmLog) log = dmLogOpen(fixture->path, 65536, NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(dmLogAttachTty(log, names[i], &error));
        g_assert_error(error, DM_ERROR, DM_ERROR_ARGUMENT);
    }
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*func)(Fixture *fixture, gconstpointer data);
    } tests[] = {
        {"/log/sanitise", testSanitise}, {"/log/tail", testTail},
        {"/log/flood", testFlood},       {"/log/long-line", testLongLine},
        {"/log/append", testAppend},     {"/log/open-fails", testOpenFails},
        {"/log/tty", testTty},           {"/log/tty-rate", testTtyRate},
        {"/log/tty-name", testTtyName},
    };

    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_test_add(tests[i].name, Fixture, NULL, setUp, tests[i].func, tearDown);
    }
    return g_test_run();
}
