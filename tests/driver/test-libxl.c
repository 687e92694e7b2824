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

static xentoollog_logger *given;

int
libxl_ctx_alloc(libxl_ctx **context, int version, unsigned flags, xentoollog_logger *logger)
{
    *context = NULL;
    given = logger;
    return 0;
}

void
libxl_childproc_setmode(libxl_ctx *context, const libxl_childproc_hooks *hooks, void *opaque)
{
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

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(virInitialize(), ==, 0);
    g_test_add_func("/libxl/errors", checkErrorsAreKept);
    g_test_add_func("/libxl/child", checkChildTakesNoLock);
    return g_test_run();
}
