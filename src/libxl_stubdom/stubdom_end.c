/*
 * How domains end by themselves
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libxl says that a guest has shut down or is gone. It is heard in the event
 * loop, which may not wait, and dealt with in a thread of the domain's own. A
 * guest whose stubdomain has died crashes, as xen-stubdom-dm lets it.
 */

#include "stubdom_compat.h"

#include "stubdom_end.h"

#include "domain_event.h"

#include "stubdom_death.h"
#include "stubdom_guest.h"
#include "stubdom_method.h"
#include "stubdom_process.h"

VIR_LOG_INIT("stubdom.end");

/* Milliseconds in which the device model's word must have come of a stubdomain that is not there any more. */
#define REASON_TIMEOUT 2000

typedef struct {
    uint32_t domid;
    bool gone; /* nothing is left of it in Xen */
    libxl_shutdown_reason reason;
} End;

/* How an end is seen by clients. */
typedef struct {
    virDomainLifecycleAction action;
    virDomainShutoffReason reason;
    int detail; /* of VIR_DOMAIN_EVENT_STOPPED */
    bool crashed;
} Verdict;

/* --- what is to be done --------------------------------------------------------------- */

static Verdict
judge(const virDomainObj *vm, libxl_shutdown_reason reason)
{
    const StubdomDomainPrivate *priv = stubdomPrivate(vm);
    Verdict verdict = {vm->def->onPoweroff, VIR_DOMAIN_SHUTOFF_SHUTDOWN, VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN, false};

    switch (reason) {
    case LIBXL_SHUTDOWN_REASON_REBOOT:
    case LIBXL_SHUTDOWN_REASON_SOFT_RESET: /* a new device model for an old domain is more than libxl does for us */
        verdict.action = vm->def->onReboot;
        break;
    case LIBXL_SHUTDOWN_REASON_CRASH:
    case LIBXL_SHUTDOWN_REASON_WATCHDOG:
        verdict.action = vm->def->onCrash;
        verdict.reason = VIR_DOMAIN_SHUTOFF_CRASHED;
        verdict.detail = priv->endReason ? VIR_DOMAIN_EVENT_STOPPED_FAILED : VIR_DOMAIN_EVENT_STOPPED_CRASHED;
        verdict.crashed = true;
        break;
    case LIBXL_SHUTDOWN_REASON_POWEROFF:
    case LIBXL_SHUTDOWN_REASON_SUSPEND:
    case LIBXL_SHUTDOWN_REASON_UNKNOWN:
    default:
        verdict.action = priv->rebooting ? VIR_DOMAIN_LIFECYCLE_ACTION_RESTART : vm->def->onPoweroff;
        break;
    }
    return verdict;
}

static void
dumpCore(StubdomDriver *driver, virDomainObj *vm, uint32_t domid)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *when = g_date_time_format(now, "%Y%m%dT%H%M%SZ");
    g_autofree char *file = g_strdup_printf("%s/%s-%s-%u", driver->dumpDir, vm->def->name, when, domid);
    StubdomLibxl *libxl = stubdomDomainEnter(driver, vm);
    int rc;

    if (!libxl) {
        return;
    }
    if ((rc = libxl_domain_core_dump(libxl->ctx, domid, file, NULL)) != 0) {
        g_autofree char *text = stubdomLibxlErrorText(libxl, rc);

        VIR_ERROR(_("no core of the domain was written to '%s': %s"), file, text);
    }
    stubdomDomainLeave(vm, libxl);
}

static void
stop(StubdomDriver *driver, virDomainObj *vm, const Verdict *verdict)
{
    if (stubdomProcessStop(driver, vm, verdict->reason) < 0) {
        VIR_ERROR(_("the domain '%s' has ended and cannot be removed: %s"), vm->def->name, virGetLastErrorMessage());
        return;
    }
    stubdomDomainQueueLifecycle(driver, vm, VIR_DOMAIN_EVENT_STOPPED, verdict->detail);
}

static void
restart(StubdomDriver *driver, virDomainObj *vm, const Verdict *verdict)
{
    if (verdict->detail == VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN) {
        virObjectEventStateQueue(driver->events, virDomainEventRebootNewFromObj(vm));
    }
    if (stubdomProcessRestart(driver, vm, verdict->reason, verdict->detail) < 0) {
        VIR_ERROR(_("the domain '%s' cannot be started again: %s"), vm->def->name, virGetLastErrorMessage());
    }
}

/* It stays as it is until it is destroyed. */
static void
preserve(StubdomDriver *driver, virDomainObj *vm, const Verdict *verdict)
{
    stubdomPrivate(vm)->preserved = true;
    if (verdict->crashed) {
        virDomainObjSetState(vm, VIR_DOMAIN_CRASHED, VIR_DOMAIN_CRASHED_PANICKED);
    } else {
        virDomainObjSetState(vm, VIR_DOMAIN_SHUTDOWN, VIR_DOMAIN_SHUTDOWN_USER);
    }
    stubdomDomainSaveStatus(driver, vm); /* what was told is not forgotten */
    if (verdict->crashed) {
        stubdomDomainQueueLifecycle(driver, vm, VIR_DOMAIN_EVENT_CRASHED, VIR_DOMAIN_EVENT_CRASHED_PANICKED);
    } else {
        stubdomDomainQueueLifecycle(driver, vm, VIR_DOMAIN_EVENT_SHUTDOWN, VIR_DOMAIN_EVENT_SHUTDOWN_FINISHED);
    }
}

/* Unlocked. Gives guest and stubdomain names and a UUID of their own, so that others can have theirs. */
static int
renameAway(StubdomLibxl *libxl, uint32_t domid, uint32_t stubdomain, const char *name, libxl_domain_create_info *info)
{
    g_autofree char *suffix = g_strdup_printf("-%u", domid);
    g_autofree char *newName = g_strdup_printf("%s%s-dm", name, suffix);
    libxl_uuid uuid;
    int rc;

    libxl_uuid_generate(&uuid);
    if ((rc = libxl_domain_preserve(libxl->ctx, domid, info, suffix, uuid)) != 0 ||
        (stubdomain && (rc = libxl_domain_rename(libxl->ctx, stubdomain, NULL, newName)) != 0)) {
        stubdomLibxlError(libxl, rc, _("the ended guest cannot be renamed"));
        return -1;
    }
    return 0;
}

/* The old guest is left to the administrator, as NAME-DOMID; xl knows it. */
static void
restartRenamed(StubdomDriver *driver, virDomainObj *vm, const Verdict *verdict, uint32_t domid)
{
    StubdomLibxl *libxl = stubdomDomainEnter(driver, vm);
    uint32_t stubdomain = stubdomPrivate(vm)->stubdomain;
    libxl_domain_create_info info;
    int status;

    if (!libxl) {
        return;
    }
    libxl_domain_create_info_init(&info);
    info.name = g_strdup(vm->def->name);
    memcpy(info.uuid.uuid, vm->def->uuid, sizeof(info.uuid.uuid));
    status = renameAway(libxl, domid, stubdomain, vm->def->name, &info);
    libxl_domain_create_info_dispose(&info);
    stubdomDomainLeave(vm, libxl);
    if (status < 0) {
        VIR_ERROR(_("the domain '%s' is started again without keeping the ended one: %s"), vm->def->name,
                  virGetLastErrorMessage());
    } else {
        vm->def->id = STUBDOM_ID_STARTING; /* it is not ours any more */
    }
    restart(driver, vm, verdict);
}

static void
act(StubdomDriver *driver, virDomainObj *vm, const Verdict *verdict, uint32_t domid)
{
    switch (verdict->action) {
    case VIR_DOMAIN_LIFECYCLE_ACTION_RESTART:
        restart(driver, vm, verdict);
        break;
    case VIR_DOMAIN_LIFECYCLE_ACTION_RESTART_RENAME:
        if (vm->def->nhostdevs) { /* they can only be in one of the two */
            VIR_WARN("the domain '%s' is started again without keeping the ended one, which has devices of the host",
                     vm->def->name);
            restart(driver, vm, verdict);
        } else {
            restartRenamed(driver, vm, verdict, domid);
        }
        break;
    case VIR_DOMAIN_LIFECYCLE_ACTION_PRESERVE:
        preserve(driver, vm, verdict);
        break;
    case VIR_DOMAIN_LIFECYCLE_ACTION_COREDUMP_DESTROY:
        dumpCore(driver, vm, domid);
        stop(driver, vm, verdict);
        break;
    case VIR_DOMAIN_LIFECYCLE_ACTION_COREDUMP_RESTART:
        dumpCore(driver, vm, domid);
        restart(driver, vm, verdict);
        break;
    case VIR_DOMAIN_LIFECYCLE_ACTION_DESTROY:
    case VIR_DOMAIN_LIFECYCLE_ACTION_LAST:
    default:
        stop(driver, vm, verdict);
        break;
    }
}

/* Why the guest crashed, if it was for its stubdomain. Unlocks while it waits. */
static void
findReason(StubdomDriver *driver, virDomainObj *vm)
{
    StubdomDomainPrivate *priv = stubdomPrivate(vm);
    g_autoptr(StubdomDeath) death = priv->death ? stubdomDeathRef(priv->death) : NULL;
    StubdomGuestLife life =
        priv->stubdomain ? stubdomGuestLife(driver->libxl, priv->stubdomain, NULL) : STUBDOM_GUEST_GONE;
    bool gone = life == STUBDOM_GUEST_GONE || life == STUBDOM_GUEST_SHUTDOWN;
    char *reason = NULL;

    virObjectUnlock(vm);
    if (death) {
        reason = stubdomDeathReason(death, gone ? REASON_TIMEOUT : 0);
    }
    if (!reason && gone) {
        reason = g_strdup(_("its stubdomain ended, and its device model did not say why"));
    }
    virObjectLock(vm);
    g_free(priv->endReason);
    priv->endReason = reason;
}

/* --- libxl's events -------------------------------------------------------------------- */

/* Whether @vm is still the one the event is about. */
static bool
stillThere(const virDomainObj *vm, const End *end)
{
    return vm->def->id == (int)end->domid;
}

/* With the job. */
static void
handleEnd(StubdomDriver *driver, virDomainObj *vm, const End *end)
{
    Verdict verdict;

    if (!stillThere(vm, end)) {
        return;
    }
    if (end->gone) {
        stubdomProcessEnded(driver, vm, VIR_DOMAIN_SHUTOFF_DESTROYED);
        stubdomDomainQueueLifecycle(driver, vm, VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_DESTROYED);
    } else if (!stubdomPrivate(vm)->preserved) {
        if (end->reason == LIBXL_SHUTDOWN_REASON_CRASH) {
            findReason(driver, vm);
        }
        verdict = judge(vm, end->reason);
        act(driver, vm, &verdict, end->domid);
    }
    stubdomProcessRemoveInactive(driver, vm);
}

/* An end is not forgotten because a job of another takes long: it is waited for as often as need be. */
static void
endThread(StubdomDriver *driver, void *opaque)
{
    g_autofree End *end = opaque;
    virDomainObj *vm = virDomainObjListFindByID(driver->domains, (int)end->domid);

    while (vm && stillThere(vm, end) && !stubdomDriverIsEnding(driver)) {
        if (virDomainObjBeginJob(vm, VIR_JOB_MODIFY) == 0) {
            handleEnd(driver, vm, end);
            virDomainObjEndJob(vm);
            break;
        }
        virResetLastError();
    }
    virDomainObjEndAPI(&vm);
}

void
stubdomEndOccurred(StubdomEvents *events, libxl_event *event, void *opaque)
{
    StubdomDriver *driver = opaque;
    g_autofree End *end = g_new0(End, 1);
    bool wanted = event->type == LIBXL_EVENT_TYPE_DOMAIN_DEATH;

    end->domid = event->domid;
    end->gone = wanted;
    if (event->type == LIBXL_EVENT_TYPE_DOMAIN_SHUTDOWN) {
        end->reason = event->u.domain_shutdown.shutdown_reason;
        wanted = end->reason != LIBXL_SHUTDOWN_REASON_SUSPEND; /* whoever saves it deals with that */
    }
    stubdomEventsFreeEvent(events, event);
    if (wanted && stubdomDriverRun(driver, "stubdom-end", endThread, end) == 0) {
        end = NULL;
    }
}
