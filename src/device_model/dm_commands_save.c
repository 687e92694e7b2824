/*
 * QMP's commands that stop, save and continue a guest, spoken as the protocol's save, continue and logdirty
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libxl's sequence is `stop`, `xen-save-devices-state`, and later `cont` if the
 * guest is to go on (libxl__qmp_suspend_save(), libxl__dm_resume()). The
 * protocol knows no stop without a save, so `stop` only refuses what cannot be
 * saved, while the stubdomain still runs. With a stubdomain libxl names its own
 * file only as /dev/fdset/1, the second console of its Linux stubdomains, and
 * then reads qemu-save.DOMID in its directory; without one it sends a
 * descriptor by add-fd.
 */

#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <glib/gi18n-lib.h>

#include "dm_commands.h"
#include "dm_error.h"
#include "dm_save.h"
#include "dm_terminals.h"

/* The set of descriptors that is libxl's save file; others are from add-fd. */
#define FDSET_SAVE 1
#define FDSET_PREFIX "/dev/fdset/"
/* Descriptors a client may leave with us. */
#define FDSETS_MAX 8U

/* All members: main loop only. */
struct _DmCommandsSave {
    DmModel *model;
    DmSave *save;          /* under way, or NULL */
    DmQmpRequest *request; /* whose save it is */
    gint64 start;          /* monotonic microseconds: when it was asked for */
    GPtrArray *waiting;    /* of DmQmpRequest: `cont` that came meanwhile */
    gboolean stopped;      /* by `stop`, since the last `cont` */
    gboolean saved;        /* the device state is, since the last `cont` */
    int fds[FDSETS_MAX];   /* from add-fd, each a set of its own, or -1 */
};

static DmCommandsSave *
getState(DmModel *model)
{
    DmCommandsSave **state = dmModelSave(model);

    if (!*state) {
        *state = g_new0(DmCommandsSave, 1);
        (*state)->model = model;
        (*state)->waiting = g_ptr_array_new();
        for (guint i = 0; i < FDSETS_MAX; i++) {
            (*state)->fds[i] = -1;
        }
    }
    return *state;
}

/* Of a model that runs. */
static DmConsoles *
getConsoles(DmModel *model)
{
    return dmTerminalsConsoles(dmStubdomainTerminals(dmModelStubdomain(model)));
}

gboolean
dmCommandsSaveStopped(DmModel *model)
{
    return getState(model)->stopped;
}

gboolean
dmCommandsSaveDone(DmModel *model)
{
    return getState(model)->saved;
}

/* --- what cannot be saved ------------------------------------------------------ */

static char *
saveDirectory(void)
{
    const char *directory = g_getenv("STUBDOM_STATE_DIR");

    return g_strdup(directory ? directory : STUBDOM_XEN_STATE_DIR);
}

static gboolean
checkSpace(DmModel *model, GError **error)
{
    g_autofree char *directory = saveDirectory();
    guint64 limit = dmModelOptions(model)->saveLimit;
    struct statvfs status;
    guint64 space;

    if (statvfs(directory, &status) < 0) {
        g_set_error(error, DM_ERROR, DM_ERROR_SYSTEM, _("directory '%s' for the device state cannot be used: %s"),
                    directory, g_strerror(errno));
        return FALSE;
    }
    space = (guint64)status.f_bavail * status.f_frsize;
    if (space < limit) {
        g_set_error(error, DM_ERROR, DM_ERROR_SYSTEM,
                    _("the file system of '%s' has %" PRIu64 " bytes left, and the device state may need %" PRIu64
                      " (save-limit)"),
                    directory, space, limit);
        return FALSE;
    }
    return TRUE;
}

/* Whatever can be known before the guest's device model stops. */
static gboolean
mayBeSaved(DmModel *model, GError **error)
{
    guint devices = dmCommandsPciCount(model);

    if (dmModelPhase(model) != DM_MODEL_RUNNING || !dmStubdomainChannel(dmModelStubdomain(model))) {
        g_set_error(error, DM_ERROR, DM_ERROR_BUSY, _("the guest has no stubdomain that runs"));
        return FALSE;
    }
    if (!dmImageHas(dmModelImage(model), "save")) {
        g_set_error(error, DM_ERROR, DM_ERROR_UNSUPPORTED, _("stubdomain image '%s' cannot save the device state"),
                    dmModelImage(model)->name);
        return FALSE;
    }
    if (devices > 0) {
        g_set_error(error, DM_ERROR, DM_ERROR_UNSUPPORTED,
                    _("the guest has %u PCI devices of the host, whose state cannot be saved: detach them first"),
                    devices);
        return FALSE;
    }
    if (dmConsolesWorkerPid(getConsoles(model)) == 0) {
        g_set_error(error, DM_ERROR, DM_ERROR_SYSTEM,
                    _("the console worker, which would take the device state, is dead; restart the guest"));
        return FALSE;
    }
    if (getState(model)->save) {
        g_set_error(error, DM_ERROR, DM_ERROR_BUSY, _("the guest is being saved already"));
        return FALSE;
    }
    return checkSpace(model, error);
}

/* Whether it may be; @request is answered otherwise. */
static gboolean
checkSave(DmModel *model, DmQmpRequest *request)
{
    g_autoptr(GError) error = NULL;

    if (mayBeSaved(model, &error)) {
        return TRUE;
    }
    g_printerr("xen-stubdom-dm: guest %u cannot be saved: %s\n", dmModelOptions(model)->domid, error->message);
    dmQmpRequestFail(request, "GenericError", _("guest '%s' cannot be saved: %s"), dmModelGuest(model)->name,
                     error->message);
    return FALSE;
}

void
dmCommandQuerySave(DmQmpRequest *request, JsonObject *arguments, gpointer opaque)
{
    if (checkSave(opaque, request)) {
        dmQmpRequestReturn(request, NULL);
    }
}

void
dmCommandStop(DmQmpRequest *request, JsonObject *arguments, gpointer opaque)
{
    DmModel *model = opaque;

    if (checkSave(model, request)) {
        getState(model)->stopped = TRUE;
        dmQmpRequestReturn(request, NULL);
    }
}

/* --- continue ------------------------------------------------------------------ */

typedef struct {
    DmModel *model;
    DmQmpRequest *request;
} Continue;

/* libxl does not ask twice: a stubdomain that does not go on leaves a guest that never will. */
static void
continued(const GError *error, guint8 devfn, gpointer opaque)
{
    g_autofree Continue *command = opaque;

    if (error) {
        dmQmpRequestFail(command->request, "GenericError", "%s", error->message);
        dmModelAbandon(command->model, error);
    } else {
        dmQmpRequestReturn(command->request, NULL);
        dmModelSaveOver(command->model);
    }
}

/* libxl gave up the save whose end `cont` does not wait for; it is answered when that has failed. */
static void
waitForSave(DmCommandsSave *state, DmQmpRequest *request)
{
    dmSaveCancel(state->save);
    g_ptr_array_add(state->waiting, request);
}

void
dmCommandCont(DmQmpRequest *request, JsonObject *arguments, gpointer opaque)
{
    DmModel *model = opaque;
    DmCommandsSave *state = getState(model);
    DmChannel *channel = dmStubdomainChannel(dmModelStubdomain(model));
    Continue *command;

    if (dmModelPhase(model) != DM_MODEL_RUNNING || !channel) {
        dmQmpRequestFail(request, "GenericError", "%s", _("the guest has no stubdomain that runs"));
        dmModelGivenUp(model);
        return;
    }
    *dmModelContinued(model) = TRUE;
    state->stopped = FALSE;
    state->saved = FALSE;
    if (state->save) {
        waitForSave(state, request);
    } else if (dmChannelState(channel) == STUBDOM_STATE_PAUSED) {
        command = g_new0(Continue, 1);
        command->model = model;
        command->request = request;
        dmChannelSend(channel, STUBDOM_COMMAND_CONTINUE, NULL, dmModelOptions(model)->commandTimeout * 1000, continued,
                      command);
    } else {
        dmQmpRequestReturn(request, NULL);
        dmModelSaveOver(model);
    }
}

/* --- save ---------------------------------------------------------------------- */

/* A descriptor is for one save. */
static void
closeFds(DmCommandsSave *state)
{
    for (guint i = 0; i < FDSETS_MAX; i++) {
        if (state->fds[i] >= 0) {
            close(state->fds[i]);
        }
        state->fds[i] = -1;
    }
}

static void
saved(guint64 bytes, const GError *error, gpointer opaque)
{
    DmCommandsSave *state = opaque;
    const DmGuest *guest = dmModelGuest(state->model);
    DmQmpRequest *request = g_steal_pointer(&state->request);

    state->save = NULL;
    state->saved = !error;
    closeFds(state);
    if (error) {
        g_printerr("xen-stubdom-dm: guest %u: its device state was not saved: %s\n", guest->domid, error->message);
        dmQmpRequestFail(request, "GenericError", _("the device state of guest '%s' was not saved: %s"), guest->name,
                         error->message);
    } else {
        g_message("guest %u: %" PRIu64 " bytes of device state saved in %.3f s", guest->domid, bytes,
                  (double)(g_get_monotonic_time() - state->start) / G_USEC_PER_SEC);
        dmQmpRequestReturn(request, NULL);
    }
    while (state->waiting->len) {
        dmCommandCont(g_ptr_array_remove_index(state->waiting, 0), NULL, state->model);
    }
}

/* The number of the set in QEMU's name for one, or -1. */
static int
parseFdset(const char *filename)
{
    guint64 number = 0;

    return g_str_has_prefix(filename, FDSET_PREFIX) &&
                   g_ascii_string_to_unsigned(filename + strlen(FDSET_PREFIX), 10, 0, G_MAXINT, &number, NULL)
               ? (int)number
               : -1;
}

/* Where @filename means; FALSE with @request answered. *@path: (transfer full) */
static gboolean
findTarget(DmCommandsSave *state, DmQmpRequest *request, const char *filename, char **path, int *fd)
{
    int set = filename ? parseFdset(filename) : -1;
    g_autofree char *directory = saveDirectory();

    *path = NULL;
    *fd = -1;
    if (set == FDSET_SAVE) {
        *path = g_strdup_printf("%s/qemu-save.%u", directory, dmModelGuest(state->model)->domid);
    } else if (set > FDSET_SAVE && set - FDSET_SAVE <= (int)FDSETS_MAX && state->fds[set - FDSET_SAVE - 1] >= 0) {
        *fd = state->fds[set - FDSET_SAVE - 1];
    } else if (filename && g_path_is_absolute(filename) && !g_str_has_prefix(filename, FDSET_PREFIX)) {
        *path = g_strdup(filename);
    } else {
        dmQmpRequestFail(request, "GenericError", _("'%s' is neither a file nor a set of descriptors"),
                         filename ? filename : "");
        return FALSE;
    }
    return TRUE;
}

void
dmCommandSave(DmQmpRequest *request, JsonObject *arguments, gpointer opaque)
{
    DmModel *model = opaque;
    DmCommandsSave *state = getState(model);
    const char *filename = arguments ? json_object_get_string_member_with_default(arguments, "filename", NULL) : NULL;
    g_autofree char *path = NULL;
    g_autoptr(GError) error = NULL;
    DmSaveTarget target = {.limit = dmModelOptions(model)->saveLimit,
                           .timeout = dmModelOptions(model)->commandTimeout * 1000,
                           .kind = dmModelImage(model)->kind};

    if (!checkSave(model, request) || !findTarget(state, request, filename, &path, &target.fd)) {
        return;
    }
    target.path = path;
    state->request = request;
    state->start = g_get_monotonic_time();
    state->save =
        dmSaveStart(dmStubdomainChannel(dmModelStubdomain(model)), getConsoles(model), &target, saved, state, &error);
    if (!state->save) {
        saved(0, error, state);
    }
}

void
dmCommandAddFd(DmQmpRequest *request, JsonObject *arguments, gpointer opaque)
{
    DmCommandsSave *state = getState(opaque);
    JsonObject *object;
    JsonNode *node;
    int fd = dmQmpRequestTakeFd(request);

    for (guint i = 0; fd >= 0 && i < FDSETS_MAX; i++) {
        if (state->fds[i] >= 0) {
            continue;
        }
        state->fds[i] = fd;
        object = json_object_new();
        json_object_set_int_member(object, "fdset-id", FDSET_SAVE + 1 + (gint64)i);
        json_object_set_int_member(object, "fd", fd);
        node = json_node_new(JSON_NODE_OBJECT);
        json_node_take_object(node, object);
        dmQmpRequestReturn(request, node);
        return;
    }
    if (fd >= 0) {
        close(fd);
    }
    dmQmpRequestFail(request, "GenericError", "%s",
                     fd < 0 ? _("no file descriptor came with add-fd")
                            : _("too many file descriptors are held already"));
}

/* --- logdirty ------------------------------------------------------------------- */

static void
dirtyLogOn(const GError *error, guint8 devfn, gpointer opaque)
{
    DmQmpRequest *request = opaque;

    if (error) {
        dmQmpRequestFail(request, "GenericError", "%s", error->message);
    } else {
        dmQmpRequestReturn(request, NULL);
    }
}

/* The last word of a save, in which the stubdomain has no part any more: its failure would be the save's. */
static void
dirtyLogOff(const GError *error, guint8 devfn, gpointer opaque)
{
    if (error) {
        g_printerr("xen-stubdom-dm: the stubdomain goes on noting the memory it writes: %s\n", error->message);
    }
    dmQmpRequestReturn(opaque, NULL);
}

void
dmCommandDirtyLog(DmQmpRequest *request, JsonObject *arguments, gpointer opaque)
{
    DmModel *model = opaque;
    DmChannel *channel = dmStubdomainChannel(dmModelStubdomain(model));
    gboolean enable = arguments && json_object_get_boolean_member_with_default(arguments, "enable", FALSE);

    /* It is the first word of a save while the guest runs. */
    if (enable && !checkSave(model, request)) {
        return;
    }
    if (!enable && dmModelPhase(model) == DM_MODEL_ORPHANED && getState(model)->saved) {
        dmQmpRequestReturn(request, NULL);
        return;
    }
    if (dmModelPhase(model) != DM_MODEL_RUNNING || !channel || !dmImageHas(dmModelImage(model), "logdirty")) {
        dmQmpRequestFail(request, "GenericError", _("stubdomain image '%s' cannot tell which memory it writes"),
                         dmModelImage(model)->name);
        return;
    }
    dmChannelSend(channel, enable ? STUBDOM_COMMAND_LOGDIRTY_ENABLE : STUBDOM_COMMAND_LOGDIRTY_DISABLE, NULL,
                  dmModelOptions(model)->commandTimeout * 1000, enable ? dirtyLogOn : dirtyLogOff, request);
}

/* --- the end -------------------------------------------------------------------- */

void
dmCommandsSaveEnd(DmModel *model)
{
    DmCommandsSave *state = *dmModelSave(model);

    if (state && state->save) {
        dmSaveEnd(state->save);
    }
}

void
dmCommandsSaveFree(DmModel *model)
{
    DmCommandsSave *state = *dmModelSave(model);

    if (!state) {
        return;
    }
    while (state->save) {
        g_main_context_iteration(NULL, TRUE); /* a thread writes to disk */
    }
    *dmModelSave(model) = NULL;
    closeFds(state);
    g_ptr_array_unref(state->waiting);
    g_free(state);
}
