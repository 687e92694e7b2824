/*
 * What libxl logs, in the process that called it and in a child that it forked
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * There is no Xen here: libxl's functions that need it are replaced, and keep the logger they are given.
 */

#include "stubdom_compat.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "virlog.h"

#include "stubdom_libxl.h"

#define CHILD_SECONDS 20

#define OPENING_MS 200

static xentoollog_logger *given;
static const libxl_childproc_hooks *hooks;

/* A thread that opens a context and has the lock of Xen's libraries. */
static GMutex handles;
static GMutex lock;
static GCond changed;
static bool slow;   /* opening takes a while */
static bool inside; /* lock: it is being opened */

int
libxl_ctx_alloc(libxl_ctx **context, int version, unsigned flags, xentoollog_logger *logger)
{
    *context = NULL;
    given = logger;
    if (slow) {
        g_mutex_lock(&handles);
        g_mutex_lock(&lock);
        inside = true;
        g_cond_signal(&changed);
        g_mutex_unlock(&lock);
        g_usleep(OPENING_MS * 1000); /* as long as another thread would need to fork */
        g_mutex_unlock(&handles);
    }
    return 0;
}

void
libxl_childproc_setmode(libxl_ctx *context, const libxl_childproc_hooks *asked, void *opaque)
{
    hooks = asked;
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

static void *
openSlowly(void *opaque)
{
    stubdomLibxlClose(stubdomLibxlOpen());
    return NULL;
}

/* The child opens Xen's interfaces, too. */
static void
checkForkWaitsForWhoOpens(void)
{
    g_autoptr(StubdomLibxl) libxl = stubdomLibxlOpen();
    GThread *thread;
    int status = 0;
    pid_t child;

    g_assert_nonnull(libxl);
    slow = true;
    thread = g_thread_new("opening", openSlowly, NULL);
    g_mutex_lock(&lock);
    while (!inside) {
        g_cond_wait(&changed, &lock);
    }
    g_mutex_unlock(&lock);
    if ((child = hooks->fork_replacement(NULL)) == 0) {
        _exit(g_mutex_trylock(&handles) ? 0 : 1);
    }
    g_assert_cmpint(child, >, 0);
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_cmpint(status, ==, 0);
    g_thread_join(thread);
    slow = false;
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(virInitialize(), ==, 0);
    g_test_add_func("/libxl/errors", checkErrorsAreKept);
    g_test_add_func("/libxl/child", checkChildTakesNoLock);
    g_test_add_func("/libxl/fork", checkForkWaitsForWhoOpens);
    return g_test_run();
}
