/*
 * Saving the device state of a guest
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * save → `paused` → drain → on disk and checked → done. `paused` says that all
 * bytes are in the ring, so the drain that is asked for after it reaches the
 * last one; what comes later is discarded. Each arrow has a deadline. A thread
 * waits for the disk, because that cannot be waited for in a main loop.
 */

#include "config.h"

#include "dm_save.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gio/gio.h>
#include <glib/gi18n-lib.h>

#include "dm_error.h"
#include "dm_state.h"
#include "protocol/stubdom_paths.h"

/* Milliseconds a stubdomain that is paused has for the answer to `continue`. */
#define CONTINUE_TIMEOUT 10000

/* All members: main loop only, but for what check() reads, which nobody writes while it runs. */
struct _DmSave {
    DmChannel *channel;
    DmConsoles *consoles;
    char *path; /* or NULL */
    int fd;     /* the file, to be checked */
    guint64 limit;
    guint timeout;
    DmImageKind kind;
    guint deadline;     /* source: while it drains */
    gboolean begun;     /* dmSaveStart() has returned */
    gboolean cancelled; /* to end as failed */
    gboolean ending;    /* channel and consoles may be gone */
    guint64 bytes;      /* received */
    GError *error;      /* why it failed */
    DmSaveFunc func;
    gpointer opaque;
};

static void
saveFree(DmSave *save)
{
    g_clear_handle_id(&save->deadline, g_source_remove);
    if (save->fd >= 0) {
        close(save->fd);
    }
    g_free(save->path);
    g_clear_error(&save->error);
    g_free(save);
}

/* A file that failed holds nothing that could be taken for a state. */
static void
removeFile(DmSave *save)
{
    if (save->fd >= 0 && ftruncate(save->fd, 0) < 0) {
        g_printerr("xen-stubdom-dm: the unfinished device state cannot be emptied: %s\n", g_strerror(errno));
    }
    if (save->path && unlink(save->path) < 0 && errno != ENOENT) {
        g_printerr("xen-stubdom-dm: cannot remove '%s': %s\n", save->path, g_strerror(errno));
    }
}

/* What the stubdomain writes from now on is discarded. */
static void
closeSink(DmSave *save)
{
    g_autoptr(GError) error = NULL;

    if (!dmConsolesSetPeer(save->consoles, STUBDOM_CONSOLE_SAVE, -1, &error)) {
        g_printerr("xen-stubdom-dm: %s\n", error->message);
    }
}

static void
end(DmSave *save)
{
    DmSaveFunc func = save->func;
    gpointer opaque = save->opaque;
    guint64 bytes = save->bytes;
    g_autoptr(GError) error = g_steal_pointer(&save->error);

    saveFree(save);
    func(bytes, error, opaque);
}

static void
continued(const GError *error, guint8 devfn, gpointer opaque)
{
    if (error) {
        g_printerr("xen-stubdom-dm: after the failed save: %s\n", error->message);
    }
    end(opaque);
}

/* Ends it as failed, for @reason (transfer full). A stubdomain that is paused is let run again first. */
static void
fail(DmSave *save, GError *reason)
{
    g_clear_handle_id(&save->deadline, g_source_remove);
    save->error = reason;
    removeFile(save);
    if (save->ending) {
        end(save);
        return;
    }
    dmConsolesForgetDrain(save->consoles, STUBDOM_CONSOLE_SAVE);
    closeSink(save);
    /* BUSY: nothing was sent, so if it is paused, it was before. */
    if (!g_error_matches(reason, DM_ERROR, DM_ERROR_BUSY) && !g_error_matches(reason, DM_ERROR, DM_ERROR_DEAD) &&
        dmChannelState(save->channel) == STUBDOM_STATE_PAUSED) {
        dmChannelSend(save->channel, STUBDOM_COMMAND_CONTINUE, NULL, CONTINUE_TIMEOUT, continued, save);
    } else {
        end(save);
    }
}

static GError *
cancelledError(void)
{
    return g_error_new(DM_ERROR, DM_ERROR_CANCELLED, _("the save was given up"));
}

/* --- on disk, and checked ------------------------------------------------- */

static void
check(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    const DmSave *save = data;
    GError *error = NULL;

    if (fsync(save->fd) < 0) {
        error = g_error_new(DM_ERROR, DM_ERROR_SYSTEM, _("the device state cannot be written to disk: %s"),
                            g_strerror(errno));
    } else {
        (void)dmStateCheckFile(save->fd, save->limit, save->kind, &error);
    }
    if (error) {
        g_task_return_error(task, error);
    } else {
        g_task_return_boolean(task, TRUE);
    }
}

static void
checked(GObject *source, GAsyncResult *result, gpointer opaque)
{
    DmSave *save = opaque;
    GError *error = NULL;
    gboolean good = g_task_propagate_boolean(G_TASK(result), &error);

    if (save->cancelled || save->ending) {
        g_clear_error(&error);
        fail(save, cancelledError());
    } else if (good) {
        end(save);
    } else {
        fail(save, error);
    }
}

/* --- the bytes --------------------------------------------------------------- */

/* Too much is the reason to know, also for a deadline that passed: an endless stream has no other end. */
static GError *
causeOf(DmSave *save, const GError *error)
{
    if (!dmConsolesLimitHit(save->consoles, STUBDOM_CONSOLE_SAVE)) {
        return g_error_copy(error);
    }
    return g_error_new(DM_ERROR, DM_ERROR_STUBDOMAIN,
                       _("the stubdomain sent more than the %" PRIu64 " bytes that save-limit allows (%s)"),
                       save->limit, error->message);
}

static void
drained(DmConsoles *consoles, guint number, guint64 bytes, const GError *error, gpointer opaque)
{
    DmSave *save = opaque;
    g_autoptr(GTask) task = NULL;

    g_clear_handle_id(&save->deadline, g_source_remove);
    save->bytes = bytes;
    if (error || save->cancelled) {
        fail(save, error ? causeOf(save, error) : cancelledError());
        return;
    }
    if (bytes == 0) {
        fail(save, g_error_new(DM_ERROR, DM_ERROR_STATE,
                               _("the stubdomain said that it saved the device state, but sent none")));
        return;
    }
    closeSink(save);
    task = g_task_new(NULL, NULL, checked, save);
    g_task_set_task_data(task, save, NULL);
    g_task_run_in_thread(task, check);
}

static gboolean
drainExpired(gpointer opaque)
{
    DmSave *save = opaque;

    save->deadline = 0;
    fail(save, g_error_new(DM_ERROR, DM_ERROR_TIMEOUT, _("the device state was not written within %u seconds"),
                           save->timeout / 1000));
    return G_SOURCE_REMOVE;
}

static void
answered(const GError *error, guint8 devfn, gpointer opaque)
{
    DmSave *save = opaque;
    GError *cause = NULL;

    if (error && !save->begun) {
        save->error = g_error_copy(error);
        return;
    }
    /* The channel ends itself only together with the stubdomain. */
    save->ending |= g_error_matches(error, DM_ERROR, DM_ERROR_CANCELLED);
    if (error || save->cancelled) {
        fail(save, error ? causeOf(save, error) : cancelledError());
        return;
    }
    save->deadline = g_timeout_add(save->timeout, drainExpired, save);
    if (!dmConsolesDrain(save->consoles, STUBDOM_CONSOLE_SAVE, drained, save, &cause)) {
        fail(save, cause);
    }
}

static void
lateContinued(const GError *error, guint8 devfn, gpointer opaque)
{
    if (error) {
        g_printerr("xen-stubdom-dm: after the save that came too late: %s\n", error->message);
    }
}

/* A stubdomain that saves after we gave up is paused now, and nobody else would wake it. */
static void
answeredLate(StubdomCommand command, const char *parameter, const char *text, gpointer opaque)
{
    DmChannel *channel = opaque;

    if (command == STUBDOM_COMMAND_SAVE && dmChannelState(channel) == STUBDOM_STATE_PAUSED) {
        dmChannelSend(channel, STUBDOM_COMMAND_CONTINUE, NULL, CONTINUE_TIMEOUT, lateContinued, NULL);
    }
}

/* --- begin -------------------------------------------------------------------- */

/*
 * Opens what @fd has open once more: with a position of its own, and for
 * writing only where the console worker would read from it otherwise.
 */
static int
reopen(int fd, int flags, GError **error)
{
    g_autofree char *link = g_strdup_printf("/proc/self/fd/%d", fd);
    int other = open(link, flags | O_CLOEXEC);

    if (other < 0) {
        g_set_error(error, DM_ERROR, DM_ERROR_SYSTEM, _("the file for the device state cannot be opened again: %s"),
                    g_strerror(errno));
    }
    return other;
}

/* A file of its own: whoever has one of that name open is left alone, and what is no file is not replaced. */
static int
makeFile(const char *path, GError **error)
{
    struct stat status;
    int fd;

    if (lstat(path, &status) == 0 && (S_ISREG(status.st_mode) || S_ISLNK(status.st_mode))) {
        (void)unlink(path);
    }
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        g_set_error(error, DM_ERROR, DM_ERROR_SYSTEM, _("the file '%s' for the device state cannot be made: %s"), path,
                    g_strerror(errno));
    }
    return fd;
}

/* Somebody else's, emptied. */
static int
takeFile(int theirs, GError **error)
{
    int fd = reopen(theirs, O_RDWR, error);

    if (fd >= 0 && ftruncate(fd, 0) < 0) {
        g_set_error(error, DM_ERROR, DM_ERROR_SYSTEM, _("the device state cannot be written: %s"), g_strerror(errno));
        close(fd);
        return -1;
    }
    return fd;
}

static gboolean
begin(DmSave *save, GError **error)
{
    int sink = reopen(save->fd, O_WRONLY, error);

    if (sink < 0 || !dmConsolesSetPeer(save->consoles, STUBDOM_CONSOLE_SAVE, sink, error)) {
        return FALSE;
    }
    dmChannelSetLate(save->channel, answeredLate, save->channel);
    dmChannelSend(save->channel, STUBDOM_COMMAND_SAVE, NULL, save->timeout, answered, save);
    if (save->error) {
        closeSink(save);
        g_propagate_error(error, g_steal_pointer(&save->error));
        return FALSE;
    }
    save->begun = TRUE;
    return TRUE;
}

DmSave *
dmSaveStart(DmChannel *channel, DmConsoles *consoles, const DmSaveTarget *target, DmSaveFunc func, gpointer opaque,
            GError **error)
{
    DmSave *save = g_new0(DmSave, 1);

    save->channel = channel;
    save->consoles = consoles;
    save->path = g_strdup(target->path);
    save->limit = target->limit;
    save->timeout = target->timeout;
    save->kind = target->kind;
    save->func = func;
    save->opaque = opaque;
    save->fd = target->path ? makeFile(target->path, error) : takeFile(target->fd, error);
    if (save->fd < 0) {
        saveFree(save);
        return NULL;
    }
    if (!begin(save, error)) {
        removeFile(save);
        saveFree(save);
        return NULL;
    }
    return save;
}

void
dmSaveCancel(DmSave *save)
{
    save->cancelled = TRUE;
}

void
dmSaveEnd(DmSave *save)
{
    if (save->deadline) {
        dmConsolesForgetDrain(save->consoles, STUBDOM_CONSOLE_SAVE);
        save->ending = TRUE;
        fail(save, cancelledError());
    } else {
        save->ending = TRUE;
    }
}
