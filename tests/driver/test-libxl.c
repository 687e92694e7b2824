/*
 * What libxl logs, in the process that called it and in a child that it forked, and how it forks
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * There is no Xen here: libxl's functions that need it are replaced, and keep the logger they are given.
 */

#include "stubdom_compat.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <xencall.h>

#include "virlog.h"

#include "stubdom_libxl.h"

#define CHILD_SECONDS 20

static xentoollog_logger *given;
static const libxl_childproc_hooks *hooks;

/* The locks of Xen's libraries, here one, and the thread that has it while libxl forks. */
static GMutex handles;
static int children[2]; /* a pipe: a byte of each child that wants the lock */

int
libxl_ctx_alloc(libxl_ctx **context, int version, unsigned flags, xentoollog_logger *logger)
{
    *context = NULL;
    given = logger;
    return 0;
}

void
libxl_childproc_setmode(libxl_ctx *context, const libxl_childproc_hooks *asked, void *opaque)
{
    hooks = asked;
}

xencall_handle *
xencall_open(xentoollog_logger *logger, unsigned flags)
{
    g_assert_cmpint(write(children[1], "", 1), ==, 1);
    g_mutex_lock(&handles);
    g_mutex_unlock(&handles);
    return NULL;
}

static void
checkErrorsAreKept(void)
{
    g_autoptr(StubdomLibxl) libxl = stubdomLibxlOpen();
    g_autofree char *said = NULL;
    g_autofree char *again = NULL;

    g_assert_nonnull(libxl);
    xtl_log(given, XTL_WARN, -1, "test", "%s", "a warning");
    xtl_log(given, XTL_ERROR, ENOENT, "test", "%s", "one");
    xtl_log(given, XTL_ERROR, -1, "test", "%s", "two\n");
    said = stubdomLibxlErrorText(libxl, -3);
    g_assert_cmpstr(said, ==, "libxl says: one: No such file or directory; two");
    again = stubdomLibxlErrorText(libxl, -3);
    g_assert_cmpstr(again, ==, "libxl returned -3");
}

/* Another thread was writing to libvirt's log when libxl forked: in the child nobody will ever unlock it. */
static void
checkChildTakesNoLock(void)
{
    g_autoptr(StubdomLibxl) libxl = stubdomLibxlOpen();
    g_autofree char *said = NULL;
    char text[64] = "";
    int ends[2];
    int status = 0;
    pid_t child;

    g_assert_nonnull(libxl);
    g_assert_cmpint(pipe(ends), ==, 0);
    virLogLock();
    if ((child = fork()) == 0) {
        alarm(CHILD_SECONDS);
        dup2(ends[1], STDERR_FILENO);
        xtl_log(given, XTL_DEBUG, -1, "test", "%s", "nothing of note");
        xtl_log(given, XTL_ERROR, EBUSY, "test", "%s", "in the child");
        _exit(0);
    }
    virLogUnlock();
    close(ends[1]);
    g_assert_cmpint(child, >, 0);
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_cmpint(status, ==, 0);
    g_assert_cmpint(read(ends[0], text, sizeof(text) - 1), >, 0);
    close(ends[0]);
    g_assert_cmpstr(text, ==, "test: in the child: Device or resource busy\n");
    said = stubdomLibxlErrorText(libxl, -1);
    g_assert_cmpstr(said, ==, "libxl returned -1");
}

/* Has the lock until a child wants it. */
static void *
holdUntilForked(void *opaque)
{
    GAsyncQueue *began = opaque;
    char byte;

    g_mutex_lock(&handles);
    g_async_queue_push(began, began);
    g_assert_cmpint(read(children[0], &byte, 1), ==, 1);
    g_mutex_unlock(&handles);
    return NULL;
}

/* Of two children the first has a lock that nobody unlocks there. */
static void
checkChildHasItsLocks(void)
{
    g_autoptr(StubdomLibxl) libxl = stubdomLibxlOpen();
    g_autoptr(GAsyncQueue) began = g_async_queue_new();
    GThread *thread;
    int status = 0;
    char byte[2];
    pid_t child;

    g_assert_nonnull(libxl);
    g_assert_cmpint(pipe(children), ==, 0);
    thread = g_thread_new("holds", holdUntilForked, began);
    g_async_queue_pop(began);
    if ((child = hooks->fork_replacement(NULL)) == 0) {
        _exit(g_mutex_trylock(&handles) ? 0 : 1);
    }
    g_assert_cmpint(child, >, 0);
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_cmpint(status, ==, 0);
    g_thread_join(thread);
    g_assert_cmpint(read(children[0], byte, sizeof(byte)), ==, 1);
    g_assert_cmpint(waitpid(-1, &status, WNOHANG), ==, -1);
    g_assert_cmpint(errno, ==, ECHILD);
    close(children[0]);
    close(children[1]);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(virInitialize(), ==, 0);
    g_test_add_func("/libxl/errors", checkErrorsAreKept);
    g_test_add_func("/libxl/child", checkChildTakesNoLock);
    g_test_add_func("/libxl/fork", checkChildHasItsLocks);
    return g_test_run();
}
