/*
 * Test fixture: what a confined process tries, see the header
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "attempts_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "worker/worker_sandbox.h"

typedef struct {
    AttemptRunFunc run;
    AttemptFunc attempt;
} Case;

static void
attemptOpen(void)
{
    (void)open("/etc/passwd", O_RDONLY | O_CLOEXEC);
}

static void
attemptSocket(void)
{
    (void)socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static void
attemptFork(void)
{
    if (fork() == 0) {
        _exit(0);
    }
}

static void
attemptExec(void)
{
    execl("/bin/true", "true", (char *)NULL);
}

static void
attemptKill(void)
{
    (void)kill(1, 0);
}

static void
attemptExecutableMemory(void)
{
    (void)mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void
testKilled(gconstpointer data)
{
    const Case *tried = data;
    int status;

    if (WORKER_SANDBOX_SANITIZED) {
        g_test_skip("built with sanitizers: no system call filter");
        return;
    }
    status = tried->run(tried->attempt);
    g_assert_true(WIFSIGNALED(status));
    g_assert_cmpint(WTERMSIG(status), ==, SIGSYS);
}

static void
add(const char *group, AttemptRunFunc run, const Attempt *attempts, gsize count)
{
    for (gsize i = 0; i < count; i++) {
        g_autofree char *path = g_strdup_printf("%s/killed/%s", group, attempts[i].name);
        Case *tried = g_new(Case, 1);

        *tried = (Case){run, attempts[i].attempt};
        g_test_add_data_func_full(path, tried, testKilled, g_free);
    }
}

void
attemptsAdd(const char *group, AttemptRunFunc run, const Attempt *own, gsize count)
{
    static const Attempt all[] = {
        {"open", attemptOpen}, {"socket", attemptSocket}, {"fork", attemptFork},
        {"exec", attemptExec}, {"kill", attemptKill},     {"executable-memory", attemptExecutableMemory},
    };

    add(group, run, all, G_N_ELEMENTS(all));
    add(group, run, own, count);
}

void
attemptAssertExit(int status, int wanted)
{
    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), ==, wanted);
}
