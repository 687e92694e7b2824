/*
 * Tests of the workers' confinement
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A child confines itself as a worker does. What is left of it is read from
 * outside, in /proc, and seen from inside by trying what it may not do. Needs
 * root, as a worker does.
 */

#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib.h>

#include "attempts_fixture.h"
#include "worker/worker_sandbox.h"

#define KEPT_FD 3

/* Forks a child that confines itself, says so on @parentFd and runs @attempt once it is told to. */
static pid_t
startConfined(AttemptFunc attempt, int *parentFd)
{
    int pair[2];
    pid_t pid;

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), ==, 0);
    pid = fork();
    g_assert_cmpint(pid, >=, 0);
    if (pid == 0) {
        static const int keep[] = {KEPT_FD};
        const WorkerSandbox sandbox = {
            .keep = keep, .keepCount = G_N_ELEMENTS(keep), .descriptorsMax = 32, .memoryMax = 16 << 20};
        const char *step = NULL;
        char go;

        if (pair[1] != KEPT_FD) {
            dup2(pair[1], KEPT_FD);
        }
        if (!workerSandboxEnter(&sandbox, &step)) {
            _exit(100);
        }
        if (send(KEPT_FD, "c", 1, MSG_NOSIGNAL) != 1 || read(KEPT_FD, &go, 1) != 1) {
            _exit(101);
        }
        attempt();
        _exit(0);
    }
    close(pair[1]);
    *parentFd = pair[0];
    return pid;
}

static void
waitConfined(int fd)
{
    guint8 said = 0;

    g_assert_cmpint(read(fd, &said, 1), ==, 1);
    g_assert_cmpint(said, ==, 'c');
}

static int
runAttempt(AttemptFunc attempt)
{
    int fd;
    int status;
    pid_t pid = startConfined(attempt, &fd);

    waitConfined(fd);
    g_assert_cmpint(send(fd, "g", 1, MSG_NOSIGNAL), ==, 1);
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    close(fd);
    return status;
}

static void
attemptNothing(void)
{
}

static void
attemptMoveBytes(void)
{
    void *memory = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED || munmap(memory, 1 << 20) != 0 || write(KEPT_FD, "x", 1) != 1 || close(KEPT_FD) != 0) {
        _exit(1);
    }
}

static void
attemptOtherIoctl(void)
{
    (void)isatty(KEPT_FD);
}

static void
testBytes(void)
{
    attemptAssertExit(runAttempt(attemptMoveBytes), 0);
}

static char *
readProc(pid_t pid, const char *name)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/%s", (int)pid, name);
    char *content = NULL;

    g_assert_true(g_file_get_contents(path, &content, NULL, NULL));
    return content;
}

static void
assertLine(const char *content, const char *line)
{
    g_autofree char *inside = g_strdup_printf("\n%s\n", line);

    if (!strstr(content, inside)) {
        g_error("no line '%s' in\n%s", line, content);
    }
}

static void
assertOwnNamespace(pid_t pid, const char *name)
{
    g_autofree char *theirs = g_strdup_printf("/proc/%d/ns/%s", (int)pid, name);
    g_autofree char *ours = g_strdup_printf("/proc/self/ns/%s", name);
    g_autofree char *theirTarget = g_file_read_link(theirs, NULL);
    g_autofree char *ourTarget = g_file_read_link(ours, NULL);

    g_assert_nonnull(theirTarget);
    g_assert_cmpstr(theirTarget, !=, ourTarget);
}

static guint
countEntries(pid_t pid, const char *name)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/%s", (int)pid, name);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    guint count = 0;

    g_assert_nonnull(dir);
    while (g_dir_read_name(dir)) {
        count++;
    }
    return count;
}

static void
testFromOutside(void)
{
    int fd;
    int status;
    pid_t pid = startConfined(attemptNothing, &fd);
    g_autofree char *content = NULL;
    g_autofree char *limits = NULL;

    waitConfined(fd);
    content = readProc(pid, "status");
    assertLine(content, "Uid:\t65534\t65534\t65534\t65534");
    assertLine(content, "Gid:\t65534\t65534\t65534\t65534");
    assertLine(content, "Groups:\t ");
    assertLine(content, "CapEff:\t0000000000000000");
    assertLine(content, "CapPrm:\t0000000000000000");
    assertLine(content, "CapBnd:\t0000000000000000");
    assertLine(content, "NoNewPrivs:\t1");
    assertOwnNamespace(pid, "mnt");
    assertOwnNamespace(pid, "net");
    assertOwnNamespace(pid, "ipc");
    assertOwnNamespace(pid, "uts");
    assertOwnNamespace(pid, "cgroup");
    g_assert_cmpuint(countEntries(pid, "root/"), ==, 0);
    if (!WORKER_SANDBOX_SANITIZED) {
        assertLine(content, "Seccomp:\t2");
        /* Standard input, output and error, and the one that was kept. */
        g_assert_cmpuint(countEntries(pid, "fd"), ==, 4);
        limits = readProc(pid, "limits");
        g_assert_true(g_regex_match_simple("Max core file size +0 +0 ", limits, 0, 0));
        g_assert_true(g_regex_match_simple("Max open files +32 +32 ", limits, 0, 0));
    }
    g_assert_cmpint(send(fd, "g", 1, MSG_NOSIGNAL), ==, 1);
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    close(fd);
}

int
main(int argc, char **argv)
{
    static const Attempt own[] = {
        {"other-ioctl", attemptOtherIoctl},
    };

    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/worker-sandbox/from-outside", testFromOutside);
    g_test_add_func("/worker-sandbox/moves-bytes", testBytes);
    attemptsAdd("/worker-sandbox", runAttempt, own, G_N_ELEMENTS(own));
    return g_test_run();
}
