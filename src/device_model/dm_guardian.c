/*
 * The guardian: cleans up when xen-stubdom-dm cannot
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * It learns what there is to clean through a socket, whose end is also how it
 * learns that we are gone. Only then does it open xenstore and libxl.
 */

#include "config.h"

#include "dm_guardian.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>

#include "dm_caretaker.h"
#include "dm_display_nodes.h"
#include "dm_domain.h"
#include "dm_error.h"
#include "dm_libxl.h"
#include "dm_orphan.h"
#include "dm_pci_backend.h"
#include "dm_store.h"
#include "protocol/stubdom_paths.h"

typedef enum {
    GUARDIAN_STUBDOMAIN = 1, /* value: its domid or 0 */
    GUARDIAN_LISTENER,       /* with a descriptor */
    GUARDIAN_WORKER,         /* with a descriptor */
    GUARDIAN_PENDING,        /* value: a StubdomCommand */
    GUARDIAN_UP,
    GUARDIAN_ABANDONED,
    GUARDIAN_RELEASE,
} GuardianKind;

typedef struct {
    guint32 kind;
    guint32 value;
} GuardianMessage;

struct _DmGuardian {
    int fd; /* our end of the socket pair */
    pid_t pid;
};

/* The other process. */
typedef struct {
    guint guest;
    guint stubdomain;
    gboolean up;        /* the guest runs with its stubdomain */
    guint awaited;      /* the domain whose end is waited for */
    gboolean abandoned; /* the stubdomain is being destroyed under the guest */
    int listener;       /* libxl's QMP socket, or -1 */
    int worker;         /* the console worker's socket, or -1 */
    StubdomCommand pending;
    DmLibxl *libxl;
    DmStore *store;
    GMainLoop *loop;
} Guardian;

void
dmGuardianRemoveDirectory(const char *runDirectory)
{
    g_autoptr(GDir) directory = g_dir_open(runDirectory, 0, NULL);
    const char *name;

    while (directory && (name = g_dir_read_name(directory))) {
        g_autofree char *path = g_build_filename(runDirectory, name, NULL);

        (void)g_unlink(path);
    }
    (void)g_rmdir(runDirectory);
}

static gboolean
domainAlive(Guardian *guardian, guint domid)
{
    gboolean paused;

    return dmDomainAlive(guardian->libxl, domid, &paused);
}

static void
domainMayBeGone(const char *changed, gpointer opaque)
{
    Guardian *guardian = opaque;

    if (!domainAlive(guardian, guardian->awaited)) {
        g_main_loop_quit(guardian->loop);
    }
}

static void
storeLost(gpointer opaque)
{
    Guardian *guardian = opaque;

    g_main_loop_quit(guardian->loop);
}

static gboolean
waitedEnough(gpointer opaque)
{
    Guardian *guardian = opaque;

    g_main_loop_quit(guardian->loop);
    return G_SOURCE_CONTINUE; /* removed by who made it */
}

static void
destroyDone(const GError *error, gpointer opaque)
{
    Guardian *guardian = opaque;

    if (error) {
        g_printerr("xen-stubdom-dm: guardian: %s\n", error->message);
    }
    g_main_loop_quit(guardian->loop);
}

static void
destroyStubdomain(Guardian *guardian)
{
    DmLibxlOperation *operation;

    if (guardian->stubdomain == 0 || !domainAlive(guardian, guardian->stubdomain)) {
        return;
    }
    operation = dmLibxlBegin(guardian->libxl, _("destroy the stubdomain"), destroyDone, guardian);
    dmLibxlStarted(operation,
                   libxl_domain_destroy(dmLibxlContext(guardian->libxl), guardian->stubdomain, dmLibxlHow(operation)));
    g_main_loop_run(guardian->loop);
}

static gboolean
removeDisplay(DmStore *store, gpointer opaque, GError **error)
{
    const Guardian *guardian = opaque;

    return guardian->stubdomain == 0 || dmDisplayNodesRemove(store, guardian->stubdomain, error);
}

/* Once it is gone. */
static gboolean
forgetPci(Guardian *guardian, GError **error)
{
    return guardian->stubdomain == 0 || domainAlive(guardian, guardian->stubdomain) ||
           dmPciBackendForget(guardian->store, guardian->stubdomain, error);
}

static void
removeNodes(Guardian *guardian)
{
    g_autofree char *local = stubdomPathLocalDeviceModel(guardian->guest);
    g_autofree char *domid = stubdomPathDeviceModelDomid(guardian->guest);
    g_autoptr(GError) error = NULL;

    if (!dmStoreRemove(guardian->store, local, &error) ||
        (!guardian->up && !dmStoreRemove(guardian->store, domid, &error)) ||
        !dmStoreTransaction(guardian->store, removeDisplay, guardian, &error) || !forgetPci(guardian, &error)) {
        g_printerr("xen-stubdom-dm: guardian: %s\n", error->message);
    }
}

/* Waits for the end of a domain, @milliseconds at most, 0: for ever. */
static void
awaitEnd(Guardian *guardian, guint domid, guint milliseconds)
{
    DmStoreWatch *watch;
    guint timer = 0;

    guardian->awaited = domid;
    watch = dmStoreWatch(guardian->store, "@releaseDomain", domainMayBeGone, guardian, NULL);
    if (!watch) {
        return;
    }
    if (milliseconds) {
        timer = g_timeout_add(milliseconds, waitedEnough, guardian);
    }
    g_main_loop_run(guardian->loop);
    dmStoreUnwatch(watch);
    g_clear_handle_id(&timer, g_source_remove);
}

/* The guest and its stubdomain go on without us. libxl destroys both when it destroys the guest. */
static void
awaitGuest(Guardian *guardian)
{
    DmCaretakerCharge charge = {
        .guest = guardian->guest,
        .stubdomain = guardian->stubdomain,
        .listener = guardian->listener,
        .worker = guardian->worker,
        .pending = guardian->pending,
    };
    DmCaretaker *caretaker;
    g_autoptr(GError) error = NULL;
    gboolean paused;

    caretaker = dmCaretakerNew(guardian->store, guardian->libxl, &charge, &error);
    if (!caretaker) {
        g_printerr("xen-stubdom-dm: guardian: %s\n", error->message);
    }
    awaitEnd(guardian, guardian->guest, 0);
    dmCaretakerFree(caretaker);
    if (dmDomainAlive(guardian->libxl, guardian->stubdomain, &paused)) {
        awaitEnd(guardian, guardian->stubdomain, paused ? DM_DOMAIN_LINGER_PAUSED : DM_DOMAIN_LINGER);
    }
}

/* xen-stubdom-dm is gone and did not clean up. */
static void
takeOver(Guardian *guardian)
{
    g_autoptr(GError) error = NULL;

    g_printerr("xen-stubdom-dm: the device model process of guest %u died; %s\n", guardian->guest,
               guardian->up ? _("its stubdomain goes on, without hotplug and save, until the guest ends")
                            : _("its stubdomain is destroyed"));
    guardian->loop = g_main_loop_new(NULL, FALSE);
    guardian->store = dmStoreOpen(storeLost, guardian, &error);
    guardian->libxl = guardian->store ? dmLibxlOpen(&error) : NULL;
    if (!guardian->libxl) {
        g_printerr("xen-stubdom-dm: guardian: %s\n", error->message);
    } else {
        if (guardian->up) {
            awaitGuest(guardian);
        }
        destroyStubdomain(guardian);
        removeNodes(guardian);
    }
    dmLibxlClose(guardian->libxl);
    dmStoreClose(guardian->store);
    g_main_loop_unref(guardian->loop);
    if (guardian->abandoned) {
        dmOrphanEnd(guardian->guest);
    }
}

/* A message, and the descriptor that came with it or -1. FALSE: there are no more. */
static gboolean
receive(int fd, GuardianMessage *message, int *descriptor)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {message, sizeof(*message)};
    struct msghdr header = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
    struct cmsghdr *first;
    ssize_t got;

    do {
        got = recvmsg(fd, &header, MSG_CMSG_CLOEXEC);
    } while (got < 0 && errno == EINTR);
    first = got > 0 ? CMSG_FIRSTHDR(&header) : NULL;
    *descriptor = -1;
    if (first && first->cmsg_type == SCM_RIGHTS && first->cmsg_len == CMSG_LEN(sizeof(int))) {
        memcpy(descriptor, CMSG_DATA(first), sizeof(int));
    }
    return got == sizeof(*message);
}

static void
learn(Guardian *guardian, const GuardianMessage *message, int descriptor)
{
    switch ((GuardianKind)message->kind) {
    case GUARDIAN_STUBDOMAIN:
        guardian->stubdomain = message->value;
        break;
    case GUARDIAN_LISTENER:
        guardian->listener = descriptor;
        break;
    case GUARDIAN_WORKER:
        guardian->worker = descriptor;
        break;
    case GUARDIAN_PENDING:
        guardian->pending = (StubdomCommand)message->value;
        break;
    case GUARDIAN_UP:
        guardian->up = TRUE;
        break;
    case GUARDIAN_ABANDONED:
        guardian->up = FALSE;
        guardian->abandoned = TRUE;
        break;
    case GUARDIAN_RELEASE:
        _exit(0);
    default:
        break;
    }
}

static void G_GNUC_NORETURN
guardianMain(int fd, guint guest, const char *runDirectory, const char *const *files)
{
    Guardian guardian = {.guest = guest, .listener = -1, .worker = -1, .pending = STUBDOM_COMMAND_LAST};
    GuardianMessage message;
    int descriptor;

    (void)setsid();
    (void)prctl(PR_SET_NAME, "xen-stubdom-grd");
    (void)signal(SIGTERM, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN);
    (void)signal(SIGPIPE, SIG_IGN);
    while (receive(fd, &message, &descriptor)) {
        learn(&guardian, &message, descriptor);
    }
    takeOver(&guardian);
    dmGuardianRemoveDirectory(runDirectory);
    for (; *files; files++) {
        (void)g_unlink(*files);
    }
    _exit(0);
}

DmGuardian *
dmGuardianFork(guint guest, const char *runDirectory, const char *const *files, GError **error)
{
    DmGuardian *guardian;
    int fds[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0) {
        g_set_error(error, DM_ERROR, DM_ERROR_SYSTEM, _("cannot make a socket pair: %s"), g_strerror(errno));
        return NULL;
    }
    pid = fork();
    if (pid < 0) {
        g_set_error(error, DM_ERROR, DM_ERROR_SYSTEM, _("cannot start the guardian process: %s"), g_strerror(errno));
        close(fds[0]);
        close(fds[1]);
        return NULL;
    }
    if (pid == 0) {
        /* Nothing but the standard streams and the socket: not libxl's sockets, not a state to restore. */
        if (dup2(fds[0], STDIN_FILENO) < 0 || close_range(STDERR_FILENO + 1, ~0U, 0) < 0) {
            _exit(1);
        }
        guardianMain(STDIN_FILENO, guest, runDirectory, files);
    }
    close(fds[0]);
    guardian = g_new0(DmGuardian, 1);
    guardian->fd = fds[1];
    guardian->pid = pid;
    return guardian;
}

static void
tell(DmGuardian *guardian, GuardianKind kind, guint32 value, int descriptor)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {0};
    GuardianMessage message = {.kind = kind, .value = value};
    struct iovec part = {&message, sizeof(message)};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};

    if (descriptor >= 0) {
        header.msg_control = &control;
        header.msg_controllen = sizeof(control);
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(&control.header), &descriptor, sizeof(int));
    }
    /* It does nothing but read, so this waits for no longer than that takes. */
    if (guardian && sendmsg(guardian->fd, &header, MSG_NOSIGNAL) != sizeof(message)) {
        g_printerr("xen-stubdom-dm: the guardian process is gone\n");
    }
}

void
dmGuardianSetStubdomain(guint stubdomain, gpointer guardian)
{
    tell(guardian, GUARDIAN_STUBDOMAIN, stubdomain, -1);
}

void
dmGuardianSetUp(DmGuardian *guardian, int listener, int worker)
{
    if (listener >= 0) {
        tell(guardian, GUARDIAN_LISTENER, 0, listener);
    }
    if (worker >= 0) {
        tell(guardian, GUARDIAN_WORKER, 0, worker);
    }
    tell(guardian, GUARDIAN_UP, 0, -1);
}

void
dmGuardianSetPending(StubdomCommand command, gpointer guardian)
{
    tell(guardian, GUARDIAN_PENDING, command, -1);
}

void
dmGuardianSetAbandoned(DmGuardian *guardian)
{
    tell(guardian, GUARDIAN_ABANDONED, 0, -1);
}

void
dmGuardianRelease(DmGuardian *guardian)
{
    if (!guardian) {
        return;
    }
    tell(guardian, GUARDIAN_RELEASE, 0, -1);
    close(guardian->fd);
    (void)waitpid(guardian->pid, NULL, 0);
    g_free(guardian);
}
