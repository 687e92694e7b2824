/*
 * Tests of the console worker as a process
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Programs that end, lie, stall or die in the place of the worker, made of
 * shell scripts that speak through descriptor 3; and the real one, which finds
 * no Xen.
 */

#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "dm_console_worker.h"
#include "dm_error.h"

typedef struct {
    char *directory;
    char *program;
    DmConsoleWorker *worker;
    guint replies;
    guint deaths;
    char *reason;
} Fixture;

static void
keepReply(const ConsoleReply *reply, gpointer opaque)
{
    Fixture *fixture = opaque;

    fixture->replies++;
}

static void
keepDeath(const char *reason, gpointer opaque)
{
    Fixture *fixture = opaque;

    fixture->deaths++;
    fixture->reason = g_strdup(reason);
}

static void
setUp(Fixture *fixture, gconstpointer data)
{
    const char *script = data;

    fixture->directory = g_dir_make_tmp("test-console-XXXXXX", NULL);
    fixture->program = g_build_filename(fixture->directory, "worker", NULL);
    if (script) {
        g_autofree char *text = g_strconcat("#!/bin/sh\n", script, "\n", NULL);
        g_autoptr(GError) error = NULL;

        g_assert_true(g_file_set_contents(fixture->program, text, -1, NULL));
        g_assert_cmpint(g_chmod(fixture->program, 0700), ==, 0);
        g_assert_true(g_setenv("STUBDOM_CONSOLE_WORKER", fixture->program, TRUE));
        fixture->worker = dmConsoleWorkerStart(7, keepReply, keepDeath, fixture, &error);
        g_assert_no_error(error);
    }
}

static void
tearDown(Fixture *fixture, gconstpointer data)
{
    dmConsoleWorkerFree(fixture->worker);
    g_remove(fixture->program);
    g_assert_cmpint(g_rmdir(fixture->directory), ==, 0);
    g_free(fixture->directory);
    g_free(fixture->program);
    g_free(fixture->reason);
}

static void
waitDeath(Fixture *fixture, const char *reason)
{
    while (!fixture->deaths) {
        g_main_context_iteration(NULL, TRUE);
    }
    if (!strstr(fixture->reason, reason)) {
        g_error("'%s' is not in '%s'", reason, fixture->reason);
    }
    g_assert_cmpint(dmConsoleWorkerPid(fixture->worker), ==, 0);
    while (g_main_context_iteration(NULL, FALSE)) {
    }
    g_assert_cmpuint(fixture->deaths, ==, 1);
}

static void
testEnds(Fixture *fixture, gconstpointer data)
{
    ConsoleRequest request = {.type = CONSOLE_REQUEST_DRAIN, .console = 1};
    g_autoptr(GError) error = NULL;

    waitDeath(fixture, "ended with status 3");
    g_assert_false(dmConsoleWorkerSend(fixture->worker, &request, -1, &error));
    g_assert_error(error, DM_ERROR, DM_ERROR_SYSTEM);
}

static void
testKilled(Fixture *fixture, gconstpointer data)
{
    waitDeath(fixture, "killed by signal 11");
}

static void
testForbiddenCall(Fixture *fixture, gconstpointer data)
{
    waitDeath(fixture, "forbidden system call");
}

/* Closing the socket without ending is death, too. */
static void
testCloses(Fixture *fixture, gconstpointer data)
{
    waitDeath(fixture, "killed by signal 9");
}

static void
testLies(Fixture *fixture, gconstpointer data)
{
    g_test_expect_message(NULL, G_LOG_LEVEL_WARNING, "*may not say*");
    waitDeath(fixture, "killed by signal 9");
    g_test_assert_expected_messages();
    g_assert_cmpuint(fixture->replies, ==, 0);
}

/* The first argument is what xen-stubdom-console wants, and only descriptor 3 is handed down. */
static void
testArguments(Fixture *fixture, gconstpointer data)
{
    waitDeath(fixture, "ended with status 0");
}

/* Does not read: requests pile up in the socket, then it is killed; nobody waits. */
static void
testStuck(Fixture *fixture, gconstpointer data)
{
    ConsoleRequest request = {.type = CONSOLE_REQUEST_DRAIN, .console = 1};
    g_autoptr(GError) error = NULL;
    guint sent = 0;

    while (dmConsoleWorkerSend(fixture->worker, &request, -1, &error)) {
        sent++;
        g_assert_cmpuint(sent, <, 1000000);
    }
    g_assert_error(error, DM_ERROR, DM_ERROR_SYSTEM);
    g_assert_cmpuint(sent, >, 100);
    waitDeath(fixture, "killed by signal 9");
}

/* Does not end when it is told to. */
static void
testFreeStuck(Fixture *fixture, gconstpointer data)
{
    gint64 start = g_get_monotonic_time();

    dmConsoleWorkerFree(fixture->worker);
    fixture->worker = NULL;
    g_assert_cmpint(g_get_monotonic_time() - start, <, 5L * G_USEC_PER_SEC);
    g_assert_cmpuint(fixture->deaths, ==, 0);
}

static void
testMissing(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(g_setenv("STUBDOM_CONSOLE_WORKER", fixture->program, TRUE));
    g_assert_null(dmConsoleWorkerStart(7, keepReply, keepDeath, fixture, &error));
    g_assert_error(error, DM_ERROR, DM_ERROR_SYSTEM);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/console-process/ends", Fixture, "exit 3", setUp, testEnds, tearDown);
    g_test_add("/console-process/killed", Fixture, "kill -SEGV $$", setUp, testKilled, tearDown);
    g_test_add("/console-process/forbidden-call", Fixture, "kill -SYS $$", setUp, testForbiddenCall, tearDown);
    g_test_add("/console-process/closes", Fixture, "exec 3>&-; exec tail -f /dev/null", setUp, testCloses, tearDown);
    g_test_add("/console-process/lies", Fixture, "echo 'a lie of thirty-two bytes, exact' >&3; exec tail -f /dev/null",
               setUp, testLies, tearDown);
    g_test_add("/console-process/arguments", Fixture,
               "test \"$*\" = '--stubdomain 7' && test \"$(ls /proc/self/fd | tr '\\n' ' ')\" = '0 1 2 3 4 '", setUp,
               testArguments, tearDown);
    g_test_add("/console-process/stuck", Fixture, "exec tail -f /dev/null", setUp, testStuck, tearDown);
    g_test_add("/console-process/free-stuck", Fixture, "exec tail -f /dev/null", setUp, testFreeStuck, tearDown);
    g_test_add("/console-process/missing", Fixture, NULL, setUp, testMissing, tearDown);
    return g_test_run();
}
