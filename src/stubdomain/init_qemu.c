/*
 * The QEMU process of the stubdomain, see the header
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "init_qemu.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "init_error.h"
#include "init_log.h"
#include "init_sandbox.h"

#define QEMU_PATH "/usr/libexec/xen-qemu-system-i386"
#define QEMU_CONSOLE "/dev/console"
#define PRIVCMD_PATH "/dev/xen/privcmd"

static const char *const xenNodes[] = {
    PRIVCMD_PATH, "/dev/xen/hypercall", "/dev/xen/xenbus", "/dev/xen/evtchn", "/dev/xen/gntdev", "/dev/xen/gntalloc",
};

/* One arena: QEMU's threads allocate little, and every arena is memory the stubdomain has to have. */
static const char *const environment[] = {"PATH=/nonexistent", "HOME=/tmp", "LC_ALL=C", "MALLOC_ARENA_MAX=1", NULL};

static const int capabilities[] = {CAP_SYS_ADMIN, CAP_SYS_RAWIO};

void
initQemuGive(const char *path)
{
    if (chown(path, INIT_QEMU_ID, INIT_QEMU_ID) < 0 && errno != ENOENT)
        initLog("cannot give %s to QEMU: %s", path, g_strerror(errno));
}

void
initQemuTakePrivcmd(void)
{
    if (chown(PRIVCMD_PATH, 0, 0) < 0 || chmod(PRIVCMD_PATH, 0600) < 0)
        initLog("cannot take %s from QEMU: %s", PRIVCMD_PATH, g_strerror(errno));
}

/*
 * The line discipline must touch no byte, and there may be some already: of a
 * device state, in which it takes the 3 of QEMU's file version for a Control-C.
 * They come in with open(), and a kernel thread handles them by the settings of
 * that moment. A stubdomain has one CPU, so no such thread gets between the
 * open and the setting while this one is of a real-time class.
 */
static void
consoleRaw(const char *path)
{
    struct sched_param urgent = {.sched_priority = 1};
    struct sched_param usual = {.sched_priority = 0};
    struct termios settings = {0};
    gboolean done = FALSE;
    int fd = -1;

    if (sched_setscheduler(0, SCHED_FIFO, &urgent) < 0)
        initLog("cannot become urgent: %s", g_strerror(errno));
    /* Kept open for good: the settings of a tty last until its last close. */
    fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0 && tcgetattr(fd, &settings) == 0) {
        cfmakeraw(&settings);
        done = tcsetattr(fd, TCSANOW, &settings) == 0;
    }
    if (!done)
        initLog("cannot prepare %s: %s", path, g_strerror(errno));
    (void)sched_setscheduler(0, SCHED_OTHER, &usual);
}

void
initQemuGiveNodes(const InitArguments *arguments)
{
    for (gsize i = 0; i < G_N_ELEMENTS(xenNodes); i++)
        initQemuGive(xenNodes[i]);
    for (guint i = 0; i < arguments->nodes->len; i++) {
        const InitNode *node = g_ptr_array_index(arguments->nodes, i);

        initQemuGive(node->path);
        if (node->kind == INIT_NODE_CONSOLE)
            consoleRaw(node->path);
    }
}

/* From here to execve() only async-signal-safe calls: libxenstore has a thread. */

static void childFail(const char *what) G_GNUC_NORETURN;

static void
childFail(const char *what)
{
    dprintf(STDERR_FILENO, "stubdom-init: QEMU not started: %s: errno %d\n", what, errno);
    _exit(127);
}

static int
childKeepCapabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {0};

    for (gsize i = 0; i < G_N_ELEMENTS(capabilities); i++) {
        guint32 bit = 1U << (capabilities[i] % 32);

        data[capabilities[i] / 32].effective |= bit;
        data[capabilities[i] / 32].permitted |= bit;
        data[capabilities[i] / 32].inheritable |= bit;
    }
    if (syscall(SYS_capset, &header, data) < 0)
        return -1;
    for (gsize i = 0; i < G_N_ELEMENTS(capabilities); i++) {
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capabilities[i], 0, 0) < 0)
            return -1;
    }
    return 0;
}

static void
childDropPrivileges(gboolean restricted)
{
    static const struct rlimit none = {0, 0};

    (void)setrlimit(RLIMIT_CORE, &none);
    /* Never a shared address space with anybody, and no file of another user: RLIMIT_NPROC counts threads, so no limit
     * there. */
    if (!restricted && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
        childFail("keep capabilities");
    if (setgroups(0, NULL) < 0 || setresgid(INIT_QEMU_ID, INIT_QEMU_ID, INIT_QEMU_ID) < 0 ||
        setresuid(INIT_QEMU_ID, INIT_QEMU_ID, INIT_QEMU_ID) < 0)
        childFail("change user");
    if (!restricted && childKeepCapabilities() < 0)
        childFail("set capabilities");
    if ((errno = initSandboxEnter()) != 0)
        childFail("system call filter");
}

static void childExec(char **argv, const int *fds, guint nFds, int console, gboolean restricted) G_GNUC_NORETURN;

static void
childExec(char **argv, const int *fds, guint nFds, int console, gboolean restricted)
{
    sigset_t nothing;

    sigemptyset(&nothing);
    (void)sigprocmask(SIG_SETMASK, &nothing, NULL);
    if (console >= 0 && (dup2(console, STDOUT_FILENO) < 0 || dup2(console, STDERR_FILENO) < 0))
        _exit(127);
    for (guint i = 0; i < nFds; i++) {
        if (fcntl(fds[i], F_SETFD, 0) < 0)
            childFail("inherit a descriptor");
    }
    childDropPrivileges(restricted);
    execve(QEMU_PATH, argv, (char *const *)environment);
    childFail(QEMU_PATH);
}

static char **
commandLine(const InitArguments *arguments, int qmp, gboolean restricted)
{
    GPtrArray *argv = g_ptr_array_new();

    g_ptr_array_add(argv, g_strdup("qemu"));
    for (guint i = 0; i < arguments->argv->len; i++)
        g_ptr_array_add(argv, g_strdup(g_ptr_array_index(arguments->argv, i)));
    g_ptr_array_add(argv, g_strdup("-chardev"));
    g_ptr_array_add(argv, g_strdup_printf("socket,id=stubdom-init,fd=%d", qmp));
    g_ptr_array_add(argv, g_strdup("-mon"));
    g_ptr_array_add(argv, g_strdup("chardev=stubdom-init,mode=control"));
    if (restricted)
        g_ptr_array_add(argv, g_strdup("-xen-domid-restrict"));
    g_ptr_array_add(argv, NULL);
    return (char **)g_ptr_array_free(argv, FALSE);
}

gboolean
initQemuStart(const InitArguments *arguments, const int *fds, guint nFds, gboolean restricted, InitQemu *qemu,
              GError **error)
{
    int pair[2] = {-1, -1};
    int console = -1;
    g_auto(GStrv) argv = NULL;
    g_autofree int *inherited = g_new0(int, nFds + 1);

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        initErrorSetErrno(error, errno, "cannot make the QMP socket");
        return FALSE;
    }
    for (guint i = 0; i < nFds; i++)
        inherited[i] = fds[i];
    inherited[nFds] = pair[1];
    argv = commandLine(arguments, pair[1], restricted);
    /* An opening of its own: init's may not block on a full console, QEMU's may. */
    console = open(QEMU_CONSOLE, O_WRONLY | O_NOCTTY | O_CLOEXEC);

    qemu->pid = fork();
    if (qemu->pid == 0)
        childExec(argv, inherited, nFds + 1, console, restricted);
    if (qemu->pid < 0)
        initErrorSetErrno(error, errno, "cannot start QEMU");
    if (console >= 0)
        close(console);
    close(pair[1]);
    for (guint i = 0; i < nFds; i++)
        close(fds[i]);
    if (qemu->pid < 0) {
        close(pair[0]);
        return FALSE;
    }
    qemu->qmp = pair[0];
    return TRUE;
}
