/*
 * A stubdomain: made, connected, started, ended
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The order of the steps is not free: the target must be known before disks
 * are attached, because the block hotplug script lets guest and stubdomain
 * share an image only then; and all nodes must be there before the stubdomain
 * runs, because MiniOS reads each of them once. Only what an image says it
 * waits for may come later.
 */

#include "config.h"

#include "dm_stubdomain.h"

#include <glib/gi18n-lib.h>
#include <libxl_utils.h>

#include "dm_attach.h"
#include "dm_devices.h"
#include "dm_domain.h"
#include "dm_error.h"
#include "dm_pci_backend.h"
#include "dm_steps.h"
#include "dm_target.h"

/* libxl's INVALID_DOMID, which is a signed constant, as the type of a domid. */
#define NO_DOMAIN ((uint32_t)INVALID_DOMID)

/* All members: main loop only; pointers to others' objects are immutable. */
struct _DmStubdomain {
    DmLibxl *libxl;
    DmStore *store;
    const DmOptions *options;
    const DmPlan *plan;
    char *guestName;
    char *uuid;
    DmStubdomainRecordFunc record;
    gpointer recordOpaque;

    DmSteps *steps;
    libxl_domain_config config; /* while it is created */
    gboolean configFilled;
    uint32_t domid; /* NO_DOMAIN: does not exist */
    DmAttach *attach;
    DmTerminals *terminals;
    DmChannel *channel;
    gint64 deadline; /* monotonic microseconds */
    guint deadlineSource;
    DmStubdomainFunc func;
    gpointer opaque;
};

/* Ends a libxl operation that is a whole step. */
static void
stepDone(const GError *error, gpointer opaque)
{
    DmStubdomain *stubdomain = opaque;

    dmStepsDone(stubdomain->steps, error ? g_error_copy(error) : NULL);
}

/* --- the domain ------------------------------------------------------------ */

static void
created(const GError *error, gpointer opaque)
{
    DmStubdomain *stubdomain = opaque;

    if (stubdomain->domid != NO_DOMAIN && stubdomain->record) {
        stubdomain->record(stubdomain->domid, stubdomain->recordOpaque);
    }
    stepDone(error, stubdomain);
}

static void
runCreate(DmSteps *steps, gpointer opaque)
{
    DmStubdomain *stubdomain = opaque;
    DmLibxlOperation *operation;
    GError *error = NULL;

    stubdomain->configFilled = TRUE;
    if (!dmDevicesFillDomain(stubdomain->libxl, stubdomain->plan, stubdomain->options->commandTimeout,
                             &stubdomain->config, &error)) {
        dmStepsDone(steps, error);
        return;
    }
    operation = dmLibxlBegin(stubdomain->libxl, _("create the stubdomain"), created, stubdomain);
    dmLibxlStarted(operation, libxl_domain_create_new(dmLibxlContext(stubdomain->libxl), &stubdomain->config,
                                                      &stubdomain->domid, dmLibxlHow(operation), NULL));
}

static gboolean
domainExists(DmStubdomain *stubdomain)
{
    libxl_dominfo info;
    gboolean exists = dmLibxlDomainInfo(stubdomain->libxl, stubdomain->domid, &info);

    if (exists) {
        libxl_dominfo_dispose(&info);
    }
    return exists;
}

/* Nothing of it is left then. */
static void
forgetDomain(DmStubdomain *stubdomain)
{
    g_autoptr(GError) error = NULL;

    if (stubdomain->domid != NO_DOMAIN && !domainExists(stubdomain) &&
        !dmPciBackendForget(stubdomain->store, stubdomain->domid, &error)) {
        g_printerr("xen-stubdom-dm: %s\n", error->message);
    }
    stubdomain->domid = NO_DOMAIN;
}

static void
destroyed(const GError *error, gpointer opaque)
{
    DmStubdomain *stubdomain = opaque;

    forgetDomain(stubdomain);
    if (stubdomain->record) {
        stubdomain->record(0, stubdomain->recordOpaque);
    }
    stepDone(error, stubdomain);
}

static void
undoCreate(DmSteps *steps, gpointer opaque)
{
    DmStubdomain *stubdomain = opaque;
    DmLibxlOperation *operation;

    if (stubdomain->domid == NO_DOMAIN || !domainExists(stubdomain)) {
        forgetDomain(stubdomain);
        dmStepsDone(steps, NULL);
        return;
    }
    operation = dmLibxlBegin(stubdomain->libxl, _("destroy the stubdomain"), destroyed, stubdomain);
    dmLibxlStarted(operation,
                   libxl_domain_destroy(dmLibxlContext(stubdomain->libxl), stubdomain->domid, dmLibxlHow(operation)));
}

/* --- its place beside the guest ---------------------------------------------- */

static DmTarget
targetOf(const DmStubdomain *stubdomain)
{
    return (DmTarget){
        .stubdomain = stubdomain->domid,
        .guest = stubdomain->options->domid,
        .uuid = stubdomain->uuid,
        .kind = stubdomain->plan->kind,
        .argv = (const char *const *)stubdomain->plan->argv,
        .seed = stubdomain->plan->seed,
        .display = stubdomain->plan->display,
    };
}

static void
runTarget(DmSteps *steps, gpointer opaque)
{
    DmStubdomain *stubdomain = opaque;
    DmTarget target = targetOf(stubdomain);
    GError *error = NULL;

    dmTargetSet(stubdomain->store, &target, &error);
    dmStepsDone(steps, error);
}

static void
undoTarget(DmSteps *steps, gpointer opaque)
{
    DmStubdomain *stubdomain = opaque;
    DmTarget target = targetOf(stubdomain);
    GError *error = NULL;

    dmTargetClear(stubdomain->store, &target, &error);
    dmStepsDone(steps, error);
}

/* --- what it is connected to ------------------------------------------------- */

static void
runDevices(DmSteps *steps, gpointer opaque)
{
    DmStubdomain *stubdomain = opaque;

    stubdomain->attach = dmAttachStart(stubdomain->libxl, stubdomain->domid, stubdomain->plan);
    dmStepsDone(steps, NULL); /* they are awaited later */
}

static void
devicesEnded(const GError *error, gpointer opaque)
{
    DmStubdomain *stubdomain = opaque;

    g_clear_pointer(&stubdomain->attach, dmAttachFree);
    stepDone(NULL, stubdomain);
}

/* A domain is not destroyed while hotplug scripts work for it: they would fail half-way and leave their locks. */
static void
undoDevices(DmSteps *steps, gpointer opaque)
{
    DmStubdomain *stubdomain = opaque;

    dmAttachAwait(stubdomain->attach, devicesEnded, stubdomain);
}

static void
runAttached(DmSteps *steps, gpointer opaque)
{
    DmStubdomain *stubdomain = opaque;

    dmAttachAwait(stubdomain->attach, stepDone, stubdomain);
}

static void
runConsoles(DmSteps *steps, gpointer opaque)
{
    DmStubdomain *stubdomain = opaque;
    GError *error = NULL;

    dmTerminalsConnect(stubdomain->terminals, stubdomain->domid, stubdomain->plan->serials, stubdomain->options,
                       &error);
    dmStepsDone(steps, error);
}

static void
undoConsoles(DmSteps *steps, gpointer opaque)
{
    DmStubdomain *stubdomain = opaque;

    dmTerminalsDisconnect(stubdomain->terminals);
    dmStepsDone(steps, NULL);
}

static void
runLog(DmSteps *steps, gpointer opaque)
{
    DmStubdomain *stubdomain = opaque;

    dmTerminalsAwaitLog(stubdomain->terminals, stubdomain->domid, stepDone, stubdomain);
}

/* --- start -------------------------------------------------------------------- */

static void
runUnpause(DmSteps *steps, gpointer opaque)
{
    DmStubdomain *stubdomain = opaque;
    DmLibxlOperation *operation = dmLibxlBegin(stubdomain->libxl, _("unpause the stubdomain"), stepDone, stubdomain);

    dmLibxlStarted(operation,
                   libxl_domain_unpause(dmLibxlContext(stubdomain->libxl), stubdomain->domid, dmLibxlHow(operation)));
}

static void
becameReady(const GError *error, guint8 devfn, gpointer opaque)
{
    stepDone(error, opaque);
}

static void
runReady(DmSteps *steps, gpointer opaque)
{
    DmStubdomain *stubdomain = opaque;
    gint64 left = (stubdomain->deadline - g_get_monotonic_time()) / 1000;
    GError *error = NULL;

    stubdomain->channel = dmChannelNew(stubdomain->store, stubdomain->domid, stubdomain->options->domid, &error);
    if (!stubdomain->channel) {
        dmStepsDone(steps, error);
        return;
    }
    dmChannelAwaitReady(stubdomain->channel, (guint)CLAMP(left, 1, G_MAXINT), becameReady, stubdomain);
}

static void
undoReady(DmSteps *steps, gpointer opaque)
{
    DmStubdomain *stubdomain = opaque;

    g_clear_pointer(&stubdomain->channel, dmChannelFree);
    dmStepsDone(steps, NULL);
}

/* Everything is there before the stubdomain runs (stubdom.txt): MiniOS looks once. */
static const DmStep startSteps[] = {
    {"create", runCreate, undoCreate},
    {"target", runTarget, undoTarget},
    {"devices", runDevices, undoDevices},
    {"consoles", runConsoles, undoConsoles},
    {"log", runLog, NULL},
    {"attached", runAttached, NULL},
    {"unpause", runUnpause, NULL},
    {"ready", runReady, undoReady},
    {NULL, NULL, NULL},
};

/*
 * An image that waits for its devices boots while they are attached. Not its
 * consoles: Linux numbers its terminals in the order in which it finds them,
 * and loses what appears between its look and its watch until it is written
 * to, so that they must all be there before.
 */
static const DmStep lateDevicesSteps[] = {
    {"create", runCreate, undoCreate},
    {"target", runTarget, undoTarget},
    {"consoles", runConsoles, undoConsoles},
    {"log", runLog, NULL},
    {"unpause", runUnpause, NULL},
    {"devices", runDevices, undoDevices},
    {"attached", runAttached, NULL},
    {"ready", runReady, undoReady},
    {NULL, NULL, NULL},
};

static void
stepsEnded(DmSteps *steps, const char *failed, const GError *error, gpointer opaque)
{
    DmStubdomain *stubdomain = opaque;
    DmStubdomainFunc func = stubdomain->func;

    g_clear_handle_id(&stubdomain->deadlineSource, g_source_remove);
    stubdomain->func = NULL;
    if (func) {
        func(stubdomain, error, stubdomain->opaque);
    }
}

/* Goes back, for @reason (transfer full), without waiting for what only the stubdomain or xenconsoled could end. */
static void
giveUp(DmStubdomain *stubdomain, GError *reason)
{
    dmStepsBack(stubdomain->steps, reason);
    if (stubdomain->terminals) {
        dmTerminalsCancel(stubdomain->terminals);
    }
    if (stubdomain->channel) {
        dmChannelDie(stubdomain->channel, NULL);
    }
}

/* The deadline of the start as a whole; the steps that wait for libxl have its deadlines besides. */
static gboolean
startExpired(gpointer opaque)
{
    DmStubdomain *stubdomain = opaque;

    stubdomain->deadlineSource = 0;
    if (!stubdomain->channel) { /* else the channel has the same deadline and a better message */
        giveUp(stubdomain, g_error_new(DM_ERROR, DM_ERROR_TIMEOUT,
                                       _("the stubdomain was not made within %u seconds (start-timeout)"),
                                       stubdomain->options->startTimeout));
    }
    return G_SOURCE_REMOVE;
}

DmStubdomain *
dmStubdomainNew(DmLibxl *libxl, DmStore *store, const DmOptions *options, const DmPlan *plan, const char *guestName,
                const char *uuid, DmStubdomainRecordFunc record, gpointer opaque)
{
    DmStubdomain *stubdomain = g_new0(DmStubdomain, 1);

    stubdomain->libxl = libxl;
    stubdomain->store = store;
    stubdomain->options = options;
    stubdomain->plan = plan;
    stubdomain->guestName = g_strdup(guestName);
    stubdomain->uuid = g_strdup(uuid);
    stubdomain->record = record;
    stubdomain->recordOpaque = opaque;
    stubdomain->domid = NO_DOMAIN;
    stubdomain->steps = dmStepsNew(plan->lateDevices ? lateDevicesSteps : startSteps, stepsEnded, stubdomain);
    return stubdomain;
}

void
dmStubdomainFree(DmStubdomain *stubdomain)
{
    if (!stubdomain) {
        return;
    }
    g_clear_handle_id(&stubdomain->deadlineSource, g_source_remove);
    dmStepsFree(stubdomain->steps);
    dmAttachFree(stubdomain->attach);
    dmChannelFree(stubdomain->channel);
    dmTerminalsFree(stubdomain->terminals);
    if (stubdomain->configFilled) {
        libxl_domain_config_dispose(&stubdomain->config);
    }
    g_free(stubdomain->guestName);
    g_free(stubdomain->uuid);
    g_free(stubdomain);
}

void
dmStubdomainStart(DmStubdomain *stubdomain, gint64 deadline, DmStubdomainFunc func, gpointer opaque)
{
    gint64 left = (deadline - g_get_monotonic_time()) / 1000;
    GError *error = NULL;

    stubdomain->deadline = deadline;
    stubdomain->func = func;
    stubdomain->opaque = opaque;
    stubdomain->terminals =
        dmTerminalsNew(stubdomain->store, stubdomain->guestName, stubdomain->options->logLimit, &error);
    if (!stubdomain->terminals) {
        dmStepsBack(stubdomain->steps, error);
        return;
    }
    stubdomain->deadlineSource = g_timeout_add((guint)CLAMP(left, 1, G_MAXINT), startExpired, stubdomain);
    dmStepsForward(stubdomain->steps);
}

void
dmStubdomainStop(DmStubdomain *stubdomain, GError *reason, DmStubdomainFunc func, gpointer opaque)
{
    stubdomain->func = func;
    stubdomain->opaque = opaque;
    giveUp(stubdomain, reason);
}

gboolean
dmStubdomainHandOver(DmStubdomain *stubdomain, GError **error)
{
    DmTarget target = targetOf(stubdomain);

    return dmTargetUp(stubdomain->store, &target, error);
}

char *
dmStubdomainReleased(DmStubdomain *stubdomain, gboolean *byItself)
{
    libxl_dominfo info;
    char *end = NULL;

    if (stubdomain->domid == NO_DOMAIN) {
        return NULL;
    }
    *byItself = FALSE;
    if (!dmLibxlDomainInfo(stubdomain->libxl, stubdomain->domid, &info)) {
        end = dmDomainDescribeEnd(NULL);
    } else {
        if (info.shutdown || info.dying) {
            *byItself = info.shutdown;
            end = dmDomainDescribeEnd(&info);
        }
        libxl_dominfo_dispose(&info);
    }
    if (end && stubdomain->func) {
        giveUp(stubdomain, g_error_new(DM_ERROR, DM_ERROR_DEAD, _("stubdomain %u ended before it was ready: %s"),
                                       stubdomain->domid, end));
    } else if (end && stubdomain->channel) {
        dmChannelDie(stubdomain->channel, end);
    }
    return end;
}

guint
dmStubdomainDomid(const DmStubdomain *stubdomain)
{
    return stubdomain->domid == NO_DOMAIN ? 0 : stubdomain->domid;
}

DmChannel *
dmStubdomainChannel(DmStubdomain *stubdomain)
{
    return stubdomain->channel;
}

char *
dmStubdomainLastWords(DmStubdomain *stubdomain)
{
    return stubdomain->terminals ? dmTerminalsLastWords(stubdomain->terminals) : g_strdup("");
}

DmTerminals *
dmStubdomainTerminals(DmStubdomain *stubdomain)
{
    return stubdomain->terminals;
}

char *
dmStubdomainTimes(const DmStubdomain *stubdomain)
{
    return dmStepsTimes(stubdomain->steps);
}
