/*
 * The device model of one guest, from start to end
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Phases: starting → running → ending, or running → orphaned (the stubdomain
 * died) → ending. Every @releaseDomain asks Xen what became of both domains;
 * nothing else is taken for a sign of life or death.
 */

#include "config.h"

#include "dm_model_private.h"

#include <signal.h>
#include <string.h>

#include <glib-unix.h>
#include <glib/gi18n-lib.h>

#include "dm_commands.h"
#include "dm_devices.h"
#include "dm_domain.h"
#include "dm_error.h"
#include "dm_guardian.h"
#include "dm_image.h"
#include "dm_orphan.h"
#include "dm_plan.h"
#include "dm_restore.h"
#include "dm_sockets.h"
#include "protocol/stubdom_paths.h"

static const int endSignals[MODEL_SIGNALS] = {SIGTERM, SIGHUP, SIGINT};

/* --- the end ------------------------------------------------------------------ */

/* The cause, and what the stubdomain said last. */
static void
complain(DmModel *model, const GError *error)
{
    g_printerr("xen-stubdom-dm: guest %u: %s\n", model->options->domid, error->message);
    if (model->stubdomain && dmStubdomainTerminals(model->stubdomain)) {
        dmTerminalsPrintLastWords(dmStubdomainTerminals(model->stubdomain));
    }
}

static void
stubdomainStopped(DmStubdomain *stubdomain, const GError *error, gpointer opaque)
{
    DmModel *model = opaque;

    /* libxl may still be busy with a disk of the stubdomain's. */
    dmCdromsFinish(model->cdroms, model->loop);
}

/* Ends everything, with @reason (transfer full) for the log. */
static void
endModel(DmModel *model, int status, GError *reason)
{
    if (model->phase == DM_MODEL_ENDING) {
        g_error_free(reason);
        return;
    }
    model->phase = DM_MODEL_ENDING;
    model->status = status;
    g_clear_handle_id(&model->grace, g_source_remove);
    dmCommandsSaveEnd(model);
    if (model->stubdomain) {
        dmStubdomainStop(model->stubdomain, reason, stubdomainStopped, model);
    } else {
        g_error_free(reason);
        g_main_loop_quit(model->loop);
    }
}

/* --- life and death of the two domains ------------------------------------------ */

static gboolean
lingered(gpointer opaque)
{
    DmModel *model = opaque;

    model->grace = 0;
    endModel(model, 0, g_error_new(DM_ERROR, DM_ERROR_CANCELLED, _("the guest is gone")));
    return G_SOURCE_REMOVE;
}

/* The guest is gone. libxl destroys the stubdomain too; only if it does not, we do. */
static void
guestGone(DmModel *model, gboolean stubdomainGone)
{
    gboolean paused = FALSE;

    if (stubdomainGone || model->phase == DM_MODEL_STARTING) {
        endModel(model, model->phase == DM_MODEL_STARTING,
                 g_error_new(DM_ERROR, DM_ERROR_CANCELLED, _("guest %u is gone"), model->options->domid));
        return;
    }
    g_clear_handle_id(&model->grace, g_source_remove);
    (void)dmDomainAlive(model->libxl, dmStubdomainDomid(model->stubdomain), &paused);
    model->grace = g_timeout_add(paused ? DM_DOMAIN_LINGER_PAUSED : DM_DOMAIN_LINGER, lingered, model);
}

/* The stubdomain's death is reported; its guest, which cannot go on, is about to be ended. */
static void
reportOrphan(const char *reason, gboolean suspended, gpointer opaque)
{
    DmModel *model = opaque;
    g_autofree char *words = dmStubdomainLastWords(model->stubdomain);
    g_autoptr(GError) error = NULL;
    JsonObject *data = json_object_new();

    g_set_error(&error, DM_ERROR, DM_ERROR_DEAD,
                suspended
                    ? _("stubdomain %u ended: %s; the guest cannot go on and ends with the save that is under way")
                    : _("stubdomain %u ended: %s; the guest cannot go on and is reported as crashed"),
                dmStubdomainDomid(model->stubdomain), reason);
    complain(model, error);
    json_object_set_int_member(data, "domid", dmStubdomainDomid(model->stubdomain));
    json_object_set_string_member(data, "reason", reason);
    json_object_set_string_member(data, "last-words", words);
    dmModelEvent(model, "STUBDOMAIN_DEATH", data);
}

static gboolean
stateIsSaved(gpointer opaque)
{
    return dmCommandsSaveDone(opaque);
}

void
dmModelGivenUp(DmModel *model)
{
    dmOrphanGivenUp(model->orphan);
}

static void
domainReleased(const char *changed, gpointer opaque)
{
    DmModel *model = opaque;
    gboolean byItself = FALSE;
    gboolean paused = FALSE;
    gboolean guestAlive;
    g_autofree char *end = NULL;

    if (model->phase == DM_MODEL_ENDING) {
        return;
    }
    guestAlive = dmDomainAlive(model->libxl, model->options->domid, &paused);
    end = dmStubdomainReleased(model->stubdomain, &byItself);
    if (!guestAlive) {
        guestGone(model, end != NULL);
    } else if (end && model->phase == DM_MODEL_RUNNING) {
        model->phase = DM_MODEL_ORPHANED;
        model->orphan =
            dmOrphanNew(model->libxl, model->options->domid, end, byItself, paused, reportOrphan, stateIsSaved, model);
    }
}

/* The two domains do not need xenstored to go on, and nothing can be ended without it. */
static void
storeLost(gpointer opaque)
{
    DmModel *model = opaque;

    if (model->phase == DM_MODEL_STARTING) {
        g_autoptr(GError) error =
            g_error_new(DM_ERROR, DM_ERROR_XENSTORE, _("the connection to xenstored broke; is xenstored running?"));

        complain(model, error);
        endModel(model, 1, g_steal_pointer(&error));
    } else {
        g_printerr("xen-stubdom-dm: guest %u: the connection to xenstored broke; the guest goes on, but its end, "
                   "hotplug and save are not noticed any more\n",
                   model->options->domid);
    }
}

/*
 * The guest cannot go on without us. It is ended when the stubdomain is gone,
 * not before: its toolstack would destroy both at the same time as we destroy
 * the stubdomain, and of two hotplug scripts for one device the second fails in
 * the middle and leaves its lock.
 */
void
dmModelAbandon(DmModel *model, const GError *reason)
{
    if (model->phase == DM_MODEL_RUNNING || model->phase == DM_MODEL_ORPHANED) {
        model->abandoned = TRUE;
        dmGuardianSetAbandoned(model->guardian);
    }
    g_printerr("xen-stubdom-dm: guest %u: %s\n", model->options->domid, reason->message);
    endModel(model, model->phase == DM_MODEL_STARTING, g_error_copy(reason));
}

static void
endOnSignal(DmModel *model, int number)
{
    g_autoptr(GError) reason = g_error_new(DM_ERROR, DM_ERROR_CANCELLED, _("ending on SIG%s"), sigabbrev_np(number));

    dmModelAbandon(model, reason);
}

/* A save under way would be lost with the guest: it is waited for, unless we are asked twice. */
static gboolean
signalled(gpointer opaque)
{
    ModelSignal *signal = opaque;
    DmModel *model = signal->model;

    if (model->phase == DM_MODEL_RUNNING && dmCommandsSaveStopped(model) && !model->deferred) {
        g_printerr("xen-stubdom-dm: guest %u: it is being saved; ending on SIG%s when that is over\n",
                   model->options->domid, sigabbrev_np(signal->number));
        model->deferred = signal->number;
    } else {
        endOnSignal(model, signal->number);
    }
    return G_SOURCE_CONTINUE;
}

void
dmModelSaveOver(DmModel *model)
{
    if (model->deferred && model->phase == DM_MODEL_RUNNING) {
        endOnSignal(model, model->deferred);
    }
}

/* --- the start -------------------------------------------------------------------- */

static void
stubdomainStarted(DmStubdomain *stubdomain, const GError *cause, gpointer opaque)
{
    DmModel *model = opaque;
    g_autofree char *times = NULL;
    g_autoptr(GError) error = NULL;

    if (cause) {
        complain(model, cause);
        model->phase = DM_MODEL_ENDING;
        model->status = 1;
        g_main_loop_quit(model->loop);
        return;
    }
    /* Before libxl knows, or both could destroy the stubdomain. */
    dmGuardianSetUp(model->guardian, dmSocketsLibxl(model->sockets),
                    dmConsolesSocket(dmTerminalsConsoles(dmStubdomainTerminals(stubdomain))));
    dmChannelOnBusy(dmStubdomainChannel(stubdomain), dmGuardianSetPending, model->guardian);
    if (!dmStubdomainHandOver(stubdomain, &error)) {
        complain(model, error);
        endModel(model, 1, g_steal_pointer(&error));
        return;
    }
    model->phase = DM_MODEL_RUNNING;
    while (model->held->len) {
        dmCommandsAnswerStatus(model, g_ptr_array_remove_index(model->held, 0));
    }
    times = dmStubdomainTimes(stubdomain);
    g_message("guest %u: its device model runs in domain %u (%s)", model->options->domid, dmStubdomainDomid(stubdomain),
              times);
    domainReleased(NULL, model); /* what happened meanwhile */
}

static void
recordStubdomain(guint domid, gpointer opaque)
{
    DmModel *model = opaque;

    dmGuardianSetStubdomain(domid, model->guardian);
    if (model->display && domid) {
        dmDisplayStart(model->display, domid);
    } else if (model->display) {
        dmDisplayStop(model->display);
    }
}

static void
displayEvent(const char *name, JsonObject *data, gpointer opaque)
{
    dmModelEvent(opaque, name, data);
}

/* What is known of the display before the plan is made. FALSE if it cannot be had; @config: NULL: there is none. */
static gboolean
readDisplay(DmModel *model, DmDisplayConfig **config, GError **error)
{
    GError *cause = NULL;

    *config = dmDisplayConfigRead(model->options, &cause);
    if (cause) {
        g_propagate_error(error, cause);
        return FALSE;
    }
    if (*config && (*config)->width && (*config)->height) {
        model->guest->displayWidth = (*config)->width;
        model->guest->displayHeight = (*config)->height;
    }
    return TRUE;
}

/* @config: (transfer full) */
static gboolean
openDisplay(DmModel *model, DmDisplayConfig *config, GError **error)
{
    guint64 picture = (guint64)model->plan->displayWidth * model->plan->displayHeight * DM_PLAN_PIXEL + 0x100000;

    config->memory = CLAMP(picture, config->memory, DISPLAY_MEMORY_MAX);
    model->display = dmDisplayNew(model->store, config, model->guest->name, model->options->commandTimeout * 1000,
                                  displayEvent, model, error);
    return model->display != NULL;
}

static gboolean
readDisks(DmModel *model, GError **error)
{
    return model->options->config ? dmDevicesReadConfig(model->libxl, model->options->config, model->guest, error)
                                  : dmDevicesReadDisks(model->libxl, model->guest, error);
}

/* Everything that can be found out before a domain is made. */
static gboolean
prepare(DmModel *model, GError **error)
{
    g_autofree char *uuid = NULL;
    g_autoptr(DmDisplayConfig) display = NULL;

    model->store = dmStoreOpen(storeLost, model, error);
    model->libxl = model->store ? dmLibxlOpen(error) : NULL;
    model->guest = model->libxl ? dmGuestFromOptions(model->options, error) : NULL;
    if (!model->guest || !readDisks(model, error) || !readDisplay(model, &display, error)) {
        return FALSE;
    }
    model->image = dmImageLoad(model->options->image, NULL, error);
    if (!model->image || !dmRestoreCheck(model->options, model->image, error)) {
        return FALSE;
    }
    model->plan = dmPlanMake(model->guest, model->image, model->options, error);
    uuid = model->plan ? dmDomainUuid(model->store, model->options->domid, error) : NULL;
    model->sockets = uuid ? dmSocketsOpen(model->options, model->runDirectory, model, error) : NULL;
    if (!model->sockets || (display && !openDisplay(model, g_steal_pointer(&display), error))) {
        return FALSE;
    }
    model->continued = !g_strv_contains((const char *const *)model->guest->arguments, "-S");
    model->stubdomain = dmStubdomainNew(model->libxl, model->store, model->options, model->plan, model->guest->name,
                                        uuid, recordStubdomain, model);
    model->cdroms = dmCdromsNew(model->libxl, model->store, model->stubdomain, model->guest, model->plan,
                                model->options->commandTimeout * 1000);
    model->release = dmStoreWatch(model->store, "@releaseDomain", domainReleased, model, error);
    return model->release != NULL;
}

static void
dispose(DmModel *model)
{
    g_autofree char *local = stubdomPathLocalDeviceModel(model->options->domid);
    g_autoptr(GError) error = NULL;

    for (gsize i = 0; i < G_N_ELEMENTS(model->signals); i++) {
        g_clear_handle_id(&model->signals[i].source, g_source_remove);
    }
    g_clear_handle_id(&model->grace, g_source_remove);
    dmStoreUnwatch(model->release);
    dmOrphanFree(model->orphan);
    dmStubdomainFree(model->stubdomain); /* answers what its channel still owes our clients */
    dmCommandsSaveFree(model);
    dmCommandsDisplayFree(model);
    dmDisplayFree(model->display);
    while (model->held->len) {
        dmQmpRequestFail(g_ptr_array_remove_index(model->held, 0), "GenericError", "%s",
                         _("the stubdomain did not start"));
    }
    dmSocketsFree(model->sockets);
    if (model->store && !dmStoreRemove(model->store, local, &error)) {
        g_printerr("xen-stubdom-dm: %s\n", error->message);
    }
    dmCdromsFree(model->cdroms);
    dmPlanFree(model->plan);
    dmImageFree(model->image);
    dmGuestFree(model->guest);
    dmLibxlClose(model->libxl);
    dmStoreClose(model->store);
    g_ptr_array_unref(model->held);
    dmPciFree(model->pci);
    g_main_loop_unref(model->loop);
}

int
dmModelRun(const DmOptions *options)
{
    const char *runDirectory = g_getenv("STUBDOM_RUN_DIR");
    gint64 deadline = g_get_monotonic_time() + (gint64)options->startTimeout * G_USEC_PER_SEC;
    DmModel model = {.options = options, .phase = DM_MODEL_STARTING};
    g_autoptr(GError) error = NULL;

    model.runDirectory = g_strdup_printf("%s/%u", runDirectory ? runDirectory : STUBDOM_RUN_DIR, options->domid);
    model.guardian = dmGuardianFork(options->domid, model.runDirectory,
                                    (const char *const[]){options->qmpPath ? options->qmpPath : "",
                                                          options->statPath ? options->statPath : "", NULL},
                                    &error);
    if (!model.guardian) {
        g_printerr("xen-stubdom-dm: guest %u: %s\n", options->domid, error->message);
        g_free(model.runDirectory);
        return 1;
    }
    model.held = g_ptr_array_new();
    model.pci = dmPciNew();
    model.loop = g_main_loop_new(NULL, FALSE);
    for (gsize i = 0; i < G_N_ELEMENTS(endSignals); i++) {
        model.signals[i].model = &model;
        model.signals[i].number = endSignals[i];
        model.signals[i].source = g_unix_signal_add(endSignals[i], signalled, &model.signals[i]);
    }
    (void)signal(SIGPIPE, SIG_IGN);
    if (prepare(&model, &error)) {
        dmStubdomainStart(model.stubdomain, deadline, stubdomainStarted, &model);
        g_main_loop_run(model.loop);
    } else {
        complain(&model, error);
        model.status = 1;
    }
    dispose(&model);
    dmGuardianRemoveDirectory(model.runDirectory);
    dmGuardianRelease(model.guardian);
    g_free(model.runDirectory);
    if (model.abandoned) {
        dmOrphanEnd(options->domid); /* last: libxl answers it with a signal to us */
    }
    return model.status;
}
