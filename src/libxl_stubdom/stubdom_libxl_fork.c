/*
 * How libxl forks a process that has threads
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "stubdom_compat.h"

#include "stubdom_libxl_fork.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include <glib-unix.h>
#include <xencall.h>
#include <xentoollog.h>

#include "virfile.h"

VIR_LOG_INIT("stubdom.libxl_fork");

/* A child has this long, and each further one twice as long as the one before: 62 s in all. */
#define FIRST_MS 2000
#define ATTEMPTS 5

static void G_GNUC_PRINTF(5, 0) ignoreMessage(xentoollog_logger *logger, xentoollog_level level, int errnoval,
                                              const char *context, const char *format, va_list arguments)
{
}

static xentoollog_logger silent = {.vmessage = ignoreMessage};

/* In the child. Whether Xen can be reached does not matter here: the locks are taken before that is known. */
static void
takeLocks(void)
{
    xencall_handle *calls = xencall_open(&silent, 0);

    if (calls) {
        xencall_free_buffer(calls, xencall_alloc_buffer(calls, 1));
        xencall_close(calls);
    }
}

static bool
awaitChild(int fd, int milliseconds)
{
    gint64 end = g_get_monotonic_time() + milliseconds * (gint64)1000;
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    gint64 left;
    int found;
    char said;

    do {
        left = MAX(end - g_get_monotonic_time(), 0);
        found = poll(&ready, 1, (int)((left + 999) / 1000));
    } while (found < 0 && errno == EINTR);
    return found > 0 && saferead(fd, &said, sizeof(said)) == sizeof(said);
}

static void
endChild(pid_t child)
{
    kill(child, SIGKILL);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {
    }
}

/*
 * One attempt: as fork() does; the parent is told whether the child is of use. The child does nothing that libvirt
 * logs, such as VIR_CLOSE().
 */
static pid_t
forkOne(int milliseconds, bool *usable)
{
    int ends[2];
    pid_t child;

    if (!g_unix_open_pipe(ends, FD_CLOEXEC, NULL)) {
        return -1;
    }
    if ((child = fork()) == 0) {
        takeLocks();
        ignore_value(safewrite(ends[1], "", 1));
        close(ends[0]);
        close(ends[1]);
        return 0;
    }
    close(ends[1]);
    *usable = child > 0 && awaitChild(ends[0], milliseconds);
    close(ends[0]);
    return child;
}

pid_t
stubdomLibxlFork(void *opaque)
{
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        bool usable = false;
        pid_t child = forkOne(FIRST_MS << attempt, &usable);

        if (child <= 0 || usable) {
            return child;
        }
        VIR_WARN("process %d, forked for libxl, cannot take the locks of Xen's libraries; another one is forked",
                 (int)child);
        endChild(child);
    }
    errno = EDEADLK;
    return -1;
}
