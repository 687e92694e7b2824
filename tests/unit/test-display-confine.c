/*
 * Tests of what is left of the display
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A child confines itself as the display does, and then tries, from inside,
 * what it may not do: files, sockets, other processes, and the requests to
 * Xen's devices that would reach another domain's memory. Needs root, as the
 * display does.
 */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib.h>
#include <xen/xen.h>
#include <xen/sys/evtchn.h>
#include <xen/sys/gntdev.h>
#include <xen/sys/privcmd.h>

#include "attempts_fixture.h"
#include "display_confine.h"
#include "worker/worker_sandbox.h"

#define KEPT_FD 3

/* Bytes of framebuffer. */
#define PICTURE (16UL << 20)

/* Status of a child that could not be confined. */
#define REFUSED 100

/* Process 1 of a PID namespace, as xen-stubdom-dm starts the display. */
static pid_t
forkAlone(void)
{
    int back = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
    pid_t pid;

    g_assert_cmpint(back, >=, 0);
    g_assert_cmpint(unshare(CLONE_NEWPID), ==, 0);
    pid = fork();
    if (pid != 0) {
        g_assert_cmpint(setns(back, CLONE_NEWPID), ==, 0);
    }
    close(back);
    return pid;
}

static int
runAttempt(AttemptFunc attempt, pid_t (*start)(void))
{
    pid_t pid = start();
    int status;

    g_assert_cmpint(pid, >=, 0);
    if (pid == 0) {
        const char *step = NULL;

        dup2(STDERR_FILENO, KEPT_FD);
        close_range(KEPT_FD + 1, ~0U, 0);
        if (!displayConfine(PICTURE, &step)) {
            _exit(REFUSED);
        }
        attempt();
        _exit(0);
    }
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    return status;
}

static int
runAlone(AttemptFunc attempt)
{
    return runAttempt(attempt, forkAlone);
}

static void
attemptWork(void)
{
    int pair[2];

    if (getpid() != 1 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0 ||
        send(pair[0], "x", 1, 0) != 1 || dup2(pair[0], pair[1]) < 0 || close(pair[0]) != 0) {
        _exit(1);
    }
}

/* Room for the picture, but not for what a viewer might make it want. */
static void
attemptMemory(void)
{
    void *picture = mmap(NULL, PICTURE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (picture == MAP_FAILED) {
        _exit(1);
    }
    if (mmap(NULL, 4 * PICTURE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED ||
        errno != ENOMEM) {
        _exit(2);
    }
}

static void
attemptUnixSocket(void)
{
    (void)socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static void
attemptConnect(void)
{
    (void)connect(KEPT_FD, NULL, 0);
}

static void
attemptInternetPair(void)
{
    int pair[2];

    (void)socketpair(AF_INET, SOCK_STREAM, 0, pair);
}

static void
attemptTrace(void)
{
    (void)ptrace(PTRACE_ATTACH, getppid(), 0, 0);
}

static void
attemptOtherMemory(void)
{
    char byte;
    struct iovec part = {&byte, 1};

    (void)process_vm_readv(1, &part, 1, &part, 1, 0);
}

static void
attemptHypercall(void)
{
    (void)ioctl(KEPT_FD, IOCTL_PRIVCMD_HYPERCALL, NULL);
}

static void
attemptResource(void)
{
    (void)ioctl(KEPT_FD, IOCTL_PRIVCMD_MMAP_RESOURCE, NULL);
}

static void
attemptDeviceModelOperation(void)
{
    (void)ioctl(KEPT_FD, IOCTL_PRIVCMD_DM_OP, NULL);
}

static void
attemptGrant(void)
{
    (void)ioctl(KEPT_FD, IOCTL_GNTDEV_MAP_GRANT_REF, NULL);
}

static void
attemptUnboundPort(void)
{
    (void)ioctl(KEPT_FD, IOCTL_EVTCHN_BIND_UNBOUND_PORT, NULL);
}

static void
testWork(void)
{
    attemptAssertExit(runAlone(attemptWork), 0);
}

static void
testMemory(void)
{
    if (WORKER_SANDBOX_SANITIZED) {
        g_test_skip("built with sanitizers: no limits");
        return;
    }
    attemptAssertExit(runAlone(attemptMemory), 0);
}

/* Among other processes it is not confined. */
static void
testNotAlone(void)
{
    attemptAssertExit(runAttempt(attemptWork, fork), REFUSED);
}

int
main(int argc, char **argv)
{
    static const Attempt own[] = {
        {"unix-socket", attemptUnixSocket},
        {"connect", attemptConnect},
        {"internet-pair", attemptInternetPair},
        {"trace", attemptTrace},
        {"other-memory", attemptOtherMemory},
        {"hypercall", attemptHypercall},
        {"resource", attemptResource},
        {"device-model-operation", attemptDeviceModelOperation},
        {"grant", attemptGrant},
        {"unbound-port", attemptUnboundPort},
    };

    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/display-confine/works", testWork);
    g_test_add_func("/display-confine/memory", testMemory);
    g_test_add_func("/display-confine/not-alone", testNotAlone);
    attemptsAdd("/display-confine", runAlone, own, G_N_ELEMENTS(own));
    return g_test_run();
}
