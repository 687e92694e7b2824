/*
 * A worker process, seen from xen-stubdom-dm
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The process is followed by a pidfd and not by SIGCHLD, which libxl wants for
 * itself.
 */

#include "config.h"

#include "dm_worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib-unix.h>
#include <glib/gi18n-lib.h>

#include "dm_error.h"

/* How long a worker may take to write what is left when it is ended, in milliseconds. */
#define END_TIMEOUT_MS 500

/* All members: main loop only. */
struct _DmWorker {
    char *what; /* immutable */
    int socket;
    int process; /* pidfd, -1 when it was reaped */
    GPid pid;
    guint socketSource;
    guint processSource;
    DmWorkerPacketFunc packet;
    DmWorkerDiedFunc died;
    gpointer opaque;
};

static int
processOpen(GPid pid)
{
    return (int)syscall(SYS_pidfd_open, pid, 0U);
}

static void
processKill(int process)
{
    syscall(SYS_pidfd_send_signal, process, SIGKILL, NULL, 0U);
}

/* Takes the process's status, which must be there or be about to. Returns a sentence. */
static char *
reap(DmWorker *worker)
{
    siginfo_t info = {0};
    int rc;

    do {
        rc = waitid(P_PIDFD, (id_t)worker->process, &info, WEXITED);
    } while (rc != 0 && errno == EINTR);
    close(worker->process);
    worker->process = -1;
    worker->pid = 0;
    if (rc != 0) {
        /* Somebody else in this process reaped it. */
        return g_strdup_printf(_("%s ended"), worker->what);
    }
    if (info.si_code == CLD_EXITED) {
        return g_strdup_printf(_("%s ended with status %d"), worker->what, info.si_status);
    }
    if (info.si_status == SIGSYS) {
        return g_strdup_printf(_("%s was killed for a forbidden system call"), worker->what);
    }
    return g_strdup_printf(_("%s was killed by signal %d (%s)"), worker->what, info.si_status,
                           g_strsignal(info.si_status));
}

static void
closeSocket(DmWorker *worker)
{
    g_clear_handle_id(&worker->socketSource, g_source_remove);
    if (worker->socket >= 0) {
        close(worker->socket);
    }
    worker->socket = -1;
}

static gboolean
processEnded(gint fd, GIOCondition condition, gpointer opaque)
{
    DmWorker *worker = opaque;
    g_autofree char *reason = NULL;

    worker->processSource = 0;
    closeSocket(worker);
    reason = reap(worker);
    worker->died(reason, worker->opaque);
    return G_SOURCE_REMOVE;
}

/* Its end is reported when it has come. */
static gboolean
giveUp(DmWorker *worker)
{
    worker->socketSource = 0;
    closeSocket(worker);
    if (worker->process >= 0) {
        processKill(worker->process);
    }
    return G_SOURCE_REMOVE;
}

static gboolean
socketReadable(gint fd, GIOCondition condition, gpointer opaque)
{
    DmWorker *worker = opaque;
    char data[DM_WORKER_PACKET_MAX + 1];
    gssize count;

    count = recv(worker->socket, data, sizeof(data), MSG_DONTWAIT);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) {
        return G_SOURCE_CONTINUE;
    }
    if (count <= 0) {
        return giveUp(worker);
    }
    if (!worker->packet(data, (gsize)count, worker->opaque)) {
        g_warning("%s (%d) says what it may not say", worker->what, (int)worker->pid);
        return giveUp(worker);
    }
    return G_SOURCE_CONTINUE;
}

/* From here to leavePidNamespace() no thread can be made, and the first child is process 1 of a new namespace. Returns
 * the way back, or -1 where that is not allowed: a worker that must be alone finds out. */
static int
enterPidNamespace(void)
{
    int back = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);

    if (back >= 0 && unshare(CLONE_NEWPID) != 0) {
        close(back);
        back = -1;
    }
    return back;
}

static void
leavePidNamespace(int back)
{
    if (back >= 0) {
        if (setns(back, CLONE_NEWPID) != 0) {
            g_warning("cannot go back to our own PID namespace: %s", g_strerror(errno));
        }
        close(back);
    }
}

static gboolean
spawn(DmWorker *worker, const char *const *argv, gboolean alone, int theirs, GError **error)
{
    const int target = DM_WORKER_FD;
    int back = alone ? enterPidNamespace() : -1;
    g_autoptr(GError) cause = NULL;

    (void)g_spawn_async_with_pipes_and_fds(NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, -1, -1, -1, &theirs,
                                           &target, 1, &worker->pid, NULL, NULL, NULL, &cause);
    leavePidNamespace(back);
    if (cause) {
        g_set_error(error, DM_ERROR, DM_ERROR_SYSTEM, _("cannot start %s: %s"), worker->what, cause->message);
        return FALSE;
    }
    worker->process = processOpen(worker->pid);
    if (worker->process < 0) {
        g_set_error(error, DM_ERROR, DM_ERROR_SYSTEM, _("cannot follow %s: %s"), worker->what, g_strerror(errno));
        kill(worker->pid, SIGKILL);
        waitpid(worker->pid, NULL, 0);
        return FALSE;
    }
    return TRUE;
}

DmWorker *
dmWorkerStart(const char *what, const char *const *argv, gboolean alone, DmWorkerPacketFunc packet,
              DmWorkerDiedFunc died, gpointer opaque, GError **error)
{
    DmWorker *worker;
    int pair[2];
    gboolean started;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        g_set_error(error, DM_ERROR, DM_ERROR_SYSTEM, _("cannot make a socket pair: %s"), g_strerror(errno));
        return NULL;
    }
    worker = g_new0(DmWorker, 1);
    worker->what = g_strdup(what);
    worker->socket = pair[0];
    worker->process = -1;
    worker->packet = packet;
    worker->died = died;
    worker->opaque = opaque;
    started = spawn(worker, argv, alone, pair[1], error);
    close(pair[1]);
    if (!started) {
        dmWorkerFree(worker);
        return NULL;
    }
    worker->socketSource = g_unix_fd_add(worker->socket, G_IO_IN | G_IO_HUP | G_IO_ERR, socketReadable, worker);
    worker->processSource = g_unix_fd_add(worker->process, G_IO_IN, processEnded, worker);
    return worker;
}

void
dmWorkerFree(DmWorker *worker)
{
    if (!worker) {
        return;
    }
    if (worker->socket >= 0) {
        (void)shutdown(worker->socket, SHUT_RDWR); /* others may have it open */
    }
    closeSocket(worker);
    g_clear_handle_id(&worker->processSource, g_source_remove);
    if (worker->process >= 0) {
        struct pollfd end = {.fd = worker->process, .events = POLLIN};

        if (poll(&end, 1, END_TIMEOUT_MS) != 1) {
            processKill(worker->process);
        }
        g_free(reap(worker));
    }
    g_free(worker->what);
    g_free(worker);
}

gboolean
dmWorkerSend(DmWorker *worker, gconstpointer data, gsize length, int fd, GError **error)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {(gpointer)data, length};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

    if (fd >= 0) {
        memset(&control, 0, sizeof(control));
        message.msg_control = &control;
        message.msg_controllen = sizeof(control);
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof(fd));
        memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
    }
    /* A worker that does not take some hundred small requests is stuck; waiting for it would hand on the trouble. */
    if (worker->socket < 0 || sendmsg(worker->socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) != (gssize)length) {
        g_set_error(error, DM_ERROR, DM_ERROR_SYSTEM, _("cannot ask %s: %s"), worker->what,
                    worker->socket < 0 ? _("it is dead") : g_strerror(errno));
        if (worker->process >= 0) {
            processKill(worker->process);
        }
        return FALSE;
    }
    return TRUE;
}

int
dmWorkerSocket(const DmWorker *worker)
{
    return worker->socket;
}

GPid
dmWorkerPid(const DmWorker *worker)
{
    return worker->pid;
}
