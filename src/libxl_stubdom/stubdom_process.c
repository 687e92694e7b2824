/*
 * Starting and stopping a domain
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A start is a list of steps; when one fails, those before it are undone in
 * reverse. What waits runs with the domain unlocked: it is active from the
 * first step on, and the caller's job keeps everybody else from changing it.
 */

#include "stubdom_compat.h"

#include "stubdom_process.h"

#include <libxl_utils.h>

#include "datatypes.h"
#include "domain_event.h"
#include "virclosecallbacks.h"

#include "stubdom_death.h"
#include "stubdom_graphics.h"
#include "stubdom_guest.h"
#include "stubdom_hostdev.h"
#include "stubdom_job.h"
#include "stubdom_libxl_config.h"
#include "stubdom_link.h"
#include "stubdom_live.h"
#include "stubdom_memory.h"
#include "stubdom_method.h"
#include "stubdom_password.h"
#include "stubdom_prepare.h"
#include "stubdom_save_identity.h"
#include "stubdom_start_files.h"

VIR_LOG_INIT("stubdom.process");

/* --- the end ------------------------------------------------------------------------ */

static void
disconnect(StubdomDriver *driver, virDomainObj *vm)
{
    StubdomDomainPrivate *priv = stubdomPrivate(vm);

    stubdomEventsUnwatch(driver->watcher, &priv->watch);
    g_clear_pointer(&priv->monitor, stubdomMonitorClose);
    g_clear_pointer(&priv->death, stubdomDeathUnref);
    priv->stubdomain = 0;
}

void
stubdomProcessEnded(StubdomDriver *driver, virDomainObj *vm, virDomainShutoffReason reason)
{
    StubdomDomainPrivate *priv = stubdomPrivate(vm);

    disconnect(driver, vm);
    if (vm->closecallbacks) {
        virCloseCallbacksDomainRemove(vm, NULL, NULL);
    }
    stubdomHostdevRelease(driver, vm);
    stubdomDomainRelease(vm);
    stubdomGraphicsRelease(vm->def);
    stubdomStartFilesRemove(driver, vm->def);
    if (virDomainDeleteConfig(driver->stateDir, NULL, vm) < 0) {
        VIR_WARN("%s", virGetLastErrorMessage());
        virResetLastError();
    }
    vm->def->id = -1;
    priv->preserved = false;
    priv->rebooting = false;
    priv->stopping = false;
    virDomainObjSetState(vm, VIR_DOMAIN_SHUTOFF, reason);
    virDomainObjRemoveTransientDef(vm);
    if (priv->counted) {
        priv->counted = false;
        stubdomDriverRemoveActive(driver);
    }
}

/* Destroys what Xen has of the domain. Unlocks meanwhile. Should libvirtd die, the next one goes on: libxl pauses
 * first. */
static int
destroyGuest(StubdomDriver *driver, virDomainObj *vm)
{
    StubdomLibxl *libxl;
    uint32_t domid = 0;
    int status = -1;

    if (!stubdomDomid(vm, &domid)) {
        return 0;
    }
    stubdomPrivate(vm)->stopping = true;
    stubdomDomainSaveStatus(driver, vm);
    if ((libxl = stubdomDomainEnter(driver, vm))) {
        status = stubdomGuestDestroy(libxl, domid);
        stubdomDomainLeave(vm, libxl);
    }
    stubdomPrivate(vm)->stopping = false;
    if (status < 0) {
        stubdomDomainSaveStatus(driver, vm);
    }
    return status;
}

int
stubdomProcessStop(StubdomDriver *driver, virDomainObj *vm, virDomainShutoffReason reason)
{
    if (destroyGuest(driver, vm) < 0) {
        return -1;
    }
    stubdomProcessEnded(driver, vm, reason);
    return 0;
}

void
stubdomProcessRemoveInactive(StubdomDriver *driver, virDomainObj *vm)
{
    if (!vm->persistent && !virDomainObjIsActive(vm)) {
        virDomainObjListRemove(driver->domains, vm);
    }
}

/* --- the steps of a start -------------------------------------------------------------- */

typedef struct {
    StubdomDriver *driver;
    virDomainObj *vm;
    StubdomLibxlConfig config;
    const StubdomRestore *restore; /* NULL: it boots */
    bool paused;
} Start;

/* From here on the domain is active. */
static int
makeActive(Start *start)
{
    StubdomDriver *driver = start->driver;
    virDomainObj *vm = start->vm;
    StubdomDomainPrivate *priv = stubdomPrivate(vm);

    if (virDomainObjSetDefTransient(driver->xmlopt, vm, NULL) < 0) {
        return -1;
    }
    stubdomLiveAssign(vm->def);
    virMutexLock(&driver->lock);
    vm->def->id = STUBDOM_ID_STARTING + driver->nextStartId++ % STUBDOM_ID_STARTING;
    virMutexUnlock(&driver->lock);
    stubdomSaveIdentityFree(priv->identity);
    priv->identity = stubdomSaveIdentityOf(driver, vm->def);
    virDomainObjSetState(vm, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_STARTING_UP);
    if (!priv->counted) {
        priv->counted = true;
        stubdomDriverAddActive(driver);
    }
    /* Should libvirtd die now, the next one removes what there is of it. */
    return virDomainObjSave(vm, driver->xmlopt, driver->stateDir);
}

static int
prepareDevices(Start *start)
{
    if ((start->restore && stubdomRestoreCheck(start->driver, start->vm, start->restore) < 0) ||
        stubdomGraphicsPrepare(start->driver, start->vm) < 0) {
        return -1;
    }
    return stubdomDomainPrepare(start->vm);
}

static int
prepareHostdevs(Start *start)
{
    return stubdomHostdevPrepare(start->driver, start->vm);
}

static int
writeConfig(Start *start)
{
    const virDomainDef *def = start->vm->def;

    if (stubdomLibxlConfigBuild(&start->config, def, &start->driver->defaults.stubdomain) < 0) {
        return -1;
    }
    return stubdomStartFilesWrite(start->driver, def, &start->config);
}

/* The error says what libxl and the device model said. */
static void
reportCreateFailure(const Start *start, const char *cause)
{
    const char *name = start->config.c_info.name;
    g_autofree char *tail = stubdomGuestLogTail(start->driver->xenLogDir, name);

    if (tail) {
        virReportError(VIR_ERR_INTERNAL_ERROR,
                       _("the domain '%s' cannot be started: %s. Its device model said: %s. See '%s/qemu-dm-%s.log'"),
                       name, cause, tail, start->driver->xenLogDir, name);
    } else {
        virReportError(VIR_ERR_INTERNAL_ERROR, _("the domain '%s' cannot be started: %s"), name, cause);
    }
}

/* Unlocks meanwhile. */
static int
bootGuest(Start *start, uint32_t *domid, char **cause)
{
    StubdomLibxl *libxl = stubdomDomainEnter(start->driver, start->vm);
    int rc;

    if (!libxl) {
        return -1;
    }
    if ((rc = libxl_domain_create_new(libxl->ctx, &start->config, domid, NULL, NULL)) != 0) {
        *cause = stubdomLibxlErrorText(libxl, rc);
    }
    stubdomDomainLeave(start->vm, libxl);
    return rc == 0 ? 0 : -1;
}

/* libxl removes what it made itself, but for a few ways to fail. Unlocks meanwhile, and keeps the error. */
static void
removeHalf(Start *start)
{
    virErrorPtr error = NULL;
    StubdomLibxl *libxl;
    uint32_t domid = 0;

    virErrorPreserveLast(&error);
    if ((libxl = stubdomDomainEnter(start->driver, start->vm))) {
        if (stubdomGuestFind(libxl, start->vm->def->uuid, &domid)) {
            ignore_value(libxl_domain_destroy(libxl->ctx, domid, NULL));
        }
        stubdomDomainLeave(start->vm, libxl);
    }
    virErrorRestore(&error);
}

static int
createGuest(Start *start)
{
    g_autofree char *cause = NULL;
    uint32_t domid = 0;
    int status = start->restore
                     ? stubdomRestoreGuest(start->driver, start->vm, &start->config, start->restore, &domid, &cause)
                     : bootGuest(start, &domid, &cause);

    stubdomStartFilesRemove(start->driver, start->vm->def); /* they were read, or never will be */
    if (status < 0) {
        if (cause) {
            reportCreateFailure(start, cause);
        }
        removeHalf(start);
        return -1;
    }
    start->vm->def->id = (int)domid;
    stubdomPrivate(start->vm)->passthrough = start->config.c_info.passthrough > LIBXL_PASSTHROUGH_DISABLED;
    return 0;
}

static void
undoCreate(Start *start)
{
    virErrorPtr error = NULL;

    virErrorPreserveLast(&error);
    if (destroyGuest(start->driver, start->vm) < 0) {
        VIR_ERROR(_("the domain '%s' is left behind: %s"), start->vm->def->name, virGetLastErrorMessage());
    }
    virErrorRestore(&error);
}

static int
connectGuest(Start *start)
{
    if (stubdomProcessConnect(start->driver, start->vm) < 0 || stubdomLiveFill(start->driver, start->vm) < 0 ||
        stubdomHostdevFill(start->vm) < 0 || stubdomMemoryApply(start->driver, start->vm) < 0) {
        return -1;
    }
    return stubdomLinkApply(start->driver, start->vm);
}

static int
setPassword(Start *start)
{
    return stubdomPasswordStart(start->driver, start->vm);
}

static int
unpauseGuest(Start *start)
{
    virDomainObj *vm = start->vm;
    StubdomLibxl *libxl;
    uint32_t domid = 0;
    int rc;

    if (start->paused) {
        return 0;
    }
    if (!stubdomDomid(vm, &domid) || !(libxl = stubdomDomainEnter(start->driver, vm))) {
        return -1;
    }
    if ((rc = libxl_domain_unpause(libxl->ctx, domid, NULL)) != 0) {
        stubdomLibxlError(libxl, rc, _("the guest cannot be unpaused"));
    }
    stubdomDomainLeave(vm, libxl);
    return rc == 0 ? 0 : -1;
}

static int
commitRestore(Start *start)
{
    return start->restore ? stubdomRestoreCommit(start->driver, start->vm, start->restore) : 0;
}

static void
undoRestore(Start *start)
{
    if (start->restore) {
        stubdomRestoreUndo(start->driver, start->vm, start->restore);
    }
}

typedef struct {
    int (*run)(Start *start);
    void (*undo)(Start *start);
} StartStep;

/* All of them undo by making the domain inactive in the end (stubdomProcessEnded()). */
static const StartStep startSteps[] = {
    {makeActive, NULL},  {prepareDevices, NULL},       {prepareHostdevs, NULL},
    {writeConfig, NULL}, {createGuest, undoCreate},    {connectGuest, NULL},
    {setPassword, NULL}, {commitRestore, undoRestore}, {unpauseGuest, NULL},
};

static int
runSteps(Start *start)
{
    size_t done = 0;

    while (done < G_N_ELEMENTS(startSteps) && startSteps[done].run(start) == 0) {
        done++;
    }
    if (done == G_N_ELEMENTS(startSteps)) {
        return 0;
    }
    while (done-- > 0) {
        if (startSteps[done].undo) {
            startSteps[done].undo(start);
        }
    }
    return -1;
}

static int
startedDetail(virDomainRunningReason reason)
{
    return reason == VIR_DOMAIN_RUNNING_RESTORED ? VIR_DOMAIN_EVENT_STARTED_RESTORED : VIR_DOMAIN_EVENT_STARTED_BOOTED;
}

static void
started(StubdomDriver *driver, virDomainObj *vm, virDomainRunningReason reason, bool paused)
{
    if (paused) {
        virDomainObjSetState(vm, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER);
    } else {
        virDomainObjSetState(vm, VIR_DOMAIN_RUNNING, reason);
    }
    stubdomRestoreCommitted(driver, vm);
    stubdomDomainSaveStatus(driver, vm);
    stubdomDomainQueueLifecycle(driver, vm, VIR_DOMAIN_EVENT_STARTED, startedDetail(reason));
    if (paused) {
        stubdomDomainQueueLifecycle(driver, vm, VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_PAUSED);
    }
}

/* The connection that started the domain is closed. Called with @vm locked. */
static void
autodestroy(virDomainObj *vm, virConnectPtr conn)
{
    StubdomDriver *driver = conn->privateData;

    if (virDomainObjBeginJob(vm, VIR_JOB_DESTROY) < 0) {
        return;
    }
    if (virDomainObjIsActive(vm) && stubdomProcessStop(driver, vm, VIR_DOMAIN_SHUTOFF_DESTROYED) == 0) {
        stubdomDomainQueueLifecycle(driver, vm, VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_DESTROYED);
        stubdomProcessRemoveInactive(driver, vm);
    }
    virDomainObjEndJob(vm);
}

static int
startDomain(Start *start, virConnectPtr conn, virDomainRunningReason reason, unsigned int flags)
{
    StubdomDriver *driver = start->driver;
    virDomainObj *vm = start->vm;
    int status;

    if (stubdomDriverHasXen(driver) < 0) {
        return -1;
    }
    start->paused = flags & STUBDOM_PROCESS_START_PAUSED;
    g_clear_pointer(&stubdomPrivate(vm)->endReason, g_free);
    libxl_domain_config_init(&start->config);
    status = runSteps(start);
    if (status == 0) {
        if (conn && (flags & STUBDOM_PROCESS_START_AUTODESTROY)) {
            virCloseCallbacksDomainAdd(vm, conn, autodestroy);
        }
        started(driver, vm, reason, start->paused);
    } else {
        virErrorPtr error = NULL;

        virErrorPreserveLast(&error);
        stubdomProcessEnded(driver, vm, VIR_DOMAIN_SHUTOFF_FAILED);
        virErrorRestore(&error);
    }
    libxl_domain_config_dispose(&start->config);
    return status;
}

int
stubdomProcessStart(StubdomDriver *driver, virDomainObj *vm, virConnectPtr conn, virDomainRunningReason reason,
                    unsigned int flags)
{
    Start start = {.driver = driver, .vm = vm};

    return startDomain(&start, conn, reason, flags);
}

int
stubdomProcessRestore(StubdomDriver *driver, virDomainObj *vm, virConnectPtr conn, const StubdomRestore *restore,
                      unsigned int flags)
{
    Start start = {.driver = driver, .vm = vm, .restore = restore};

    if (startDomain(&start, conn, VIR_DOMAIN_RUNNING_RESTORED, flags) < 0) {
        return -1;
    }
    stubdomJobCompleted(vm, VIR_DOMAIN_JOB_OPERATION_RESTORE, restore->image->data.bytes);
    return 0;
}

int
stubdomProcessRestart(StubdomDriver *driver, virDomainObj *vm, virDomainShutoffReason reason, int detail)
{
    Start start = {.driver = driver, .vm = vm};
    int status;

    if (destroyGuest(driver, vm) < 0) {
        return -1;
    }
    disconnect(driver, vm);
    stubdomHostdevRelease(driver, vm);
    stubdomDomainRelease(vm); /* a start allocates its own */
    stubdomPrivate(vm)->preserved = false;
    stubdomPrivate(vm)->rebooting = false;
    stubdomDomainQueueLifecycle(driver, vm, VIR_DOMAIN_EVENT_STOPPED, detail);
    libxl_domain_config_init(&start.config);
    if ((status = runSteps(&start)) == 0) {
        started(driver, vm, VIR_DOMAIN_RUNNING_BOOTED, false);
    } else {
        virErrorPtr error = NULL;

        virErrorPreserveLast(&error);
        stubdomProcessEnded(driver, vm, reason);
        virErrorRestore(&error);
    }
    libxl_domain_config_dispose(&start.config);
    return status;
}

int
stubdomProcessConnect(StubdomDriver *driver, virDomainObj *vm)
{
    StubdomDomainPrivate *priv = stubdomPrivate(vm);
    uint32_t domid = 0;

    if (!stubdomDomid(vm, &domid)) {
        return -1;
    }
    priv->stubdomain = stubdomGuestStubdomain(driver->libxl, domid);
    if (!priv->monitor && !(priv->monitor = stubdomDeathMonitor(driver, domid, &priv->death))) {
        VIR_WARN("the domain '%s': %s", vm->def->name, virGetLastErrorMessage());
        virResetLastError();
    }
    return priv->watch ? 0 : stubdomEventsWatch(driver->watcher, domid, &priv->watch);
}
