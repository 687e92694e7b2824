/*
 * The guardian: cleans up when xen-stubdom-dm cannot
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * It learns what there is to clean through a pipe, whose end is also how it
 * learns that we are gone. Only then does it open xenstore and libxl.
 */

#include "config.h"

#include "dm_guardian.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib-unix.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>

#include "dm_display_nodes.h"
#include "dm_domain.h"
#include "dm_error.h"
#include "dm_libxl.h"
#include "dm_store.h"
#include "protocol/stubdom_paths.h"

typedef enum {
    GUARDIAN_STUBDOMAIN = 1, /* value: its domid or 0 */
    GUARDIAN_UP,
    GUARDIAN_ABANDONED,
    GUARDIAN_RELEASE,
} GuardianKind;

typedef struct {
    guint32 kind;
    guint32 value;
} GuardianMessage;

struct _DmGuardian {
    int fd; /* write end of the pipe */
    pid_t pid;
};

/* The other process. */
typedef struct {
    guint guest;
    guint stubdomain;
    gboolean up;        /* the guest runs with its stubdomain */
    guint awaited;      /* the domain whose end is waited for */
    gboolean abandoned; /* the stubdomain is being destroyed under the guest */
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

static void
removeNodes(Guardian *guardian)
{
    g_autofree char *local = stubdomPathLocalDeviceModel(guardian->guest);
    g_autofree char *domid = stubdomPathDeviceModelDomid(guardian->guest);
    g_autoptr(GError) error = NULL;

    if (!dmStoreRemove(guardian->store, local, &error) ||
        (!guardian->up && !dmStoreRemove(guardian->store, domid, &error)) ||
        !dmStoreTransaction(guardian->store, removeDisplay, guardian, &error)) {
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
    gboolean paused;

    awaitEnd(guardian, guardian->guest, 0);
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
               guardian->up ? _("its stubdomain goes on, without consoles and hotplug, until the guest ends")
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
        if (guardian->abandoned) {
            dmDomainCrash(guardian->guest);
        }
    }
    dmLibxlClose(guardian->libxl);
    dmStoreClose(guardian->store);
    g_main_loop_unref(guardian->loop);
}

static void G_GNUC_NORETURN
guardianMain(int fd, guint guest, const char *runDirectory, const char *const *files)
{
    Guardian guardian = {.guest = guest};
    GuardianMessage message;
    ssize_t got;

    (void)setsid();
    (void)prctl(PR_SET_NAME, "xen-stubdom-grd");
    (void)signal(SIGTERM, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN);
    while ((got = read(fd, &message, sizeof(message))) == sizeof(message) || (got < 0 && errno == EINTR)) {
        if (got < 0) {
            continue;
        }
        if (message.kind == GUARDIAN_STUBDOMAIN) {
            guardian.stubdomain = message.value;
        } else if (message.kind == GUARDIAN_UP) {
            guardian.up = TRUE;
        } else if (message.kind == GUARDIAN_ABANDONED) {
            guardian.up = FALSE;
            guardian.abandoned = TRUE;
        } else if (message.kind == GUARDIAN_RELEASE) {
            _exit(0);
        }
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

    if (!g_unix_open_pipe(fds, FD_CLOEXEC, error)) {
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
        /* Nothing but the standard streams and the pipe: not libxl's sockets, not a state to restore. */
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
tell(DmGuardian *guardian, GuardianKind kind, guint32 value)
{
    GuardianMessage message = {.kind = kind, .value = value};

    /* Smaller than PIPE_BUF and never many: cannot block or be cut. */
    if (guardian && write(guardian->fd, &message, sizeof(message)) != sizeof(message)) {
        g_printerr("xen-stubdom-dm: the guardian process is gone\n");
    }
}

void
dmGuardianSetStubdomain(DmGuardian *guardian, guint stubdomain)
{
    tell(guardian, GUARDIAN_STUBDOMAIN, stubdomain);
}

void
dmGuardianSetUp(DmGuardian *guardian)
{
    tell(guardian, GUARDIAN_UP, 0);
}

void
dmGuardianSetAbandoned(DmGuardian *guardian)
{
    tell(guardian, GUARDIAN_ABANDONED, 0);
}

void
dmGuardianRelease(DmGuardian *guardian)
{
    if (!guardian) {
        return;
    }
    tell(guardian, GUARDIAN_RELEASE, 0);
    close(guardian->fd);
    (void)waitpid(guardian->pid, NULL, 0);
    g_free(guardian);
}
