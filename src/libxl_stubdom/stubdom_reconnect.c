/*
 * Domains that ran before the driver did
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The status files say what ran; Xen says what became of it. Short questions
 * are put while the driver comes up, so that the first client sees the truth;
 * what may wait is done in threads.
 */

#include "stubdom_compat.h"

#include "stubdom_reconnect.h"

#include <libxl_utils.h>

#include "domain_event.h"

#include "stubdom_graphics.h"
#include "stubdom_guest.h"
#include "stubdom_hostdev_host.h"
#include "stubdom_managed.h"
#include "stubdom_method.h"
#include "stubdom_prepare.h"
#include "stubdom_process.h"
#include "stubdom_save.h"
#include "stubdom_unfinished.h"
#include "stubdom_unplug.h"

VIR_LOG_INIT("stubdom.reconnect");

/* --- domains -------------------------------------------------------------------------- */

/*
 * What may wait is done in a thread, which has the domain's job from the beginning: no client comes in between. @func
 * ends it, and the reference it is given.
 */
static void
runWithJob(StubdomDriver *driver, virDomainObj *vm, virDomainJob job, const char *name, StubdomDriverFunc func)
{
    if (virDomainObjBeginJob(vm, job) < 0) {
        return;
    }
    if (stubdomDriverRun(driver, name, func, virObjectRef(vm)) < 0) {
        virDomainObjEndJob(vm);
        virObjectUnref(vm);
    }
}

/* A start or a destruction that libvirtd did not live to finish. */
static void
removeHalf(StubdomDriver *driver, void *opaque)
{
    virDomainObj *vm = opaque;
    StubdomLibxl *libxl;
    uint32_t domid = 0;
    bool stopping = stubdomPrivate(vm)->stopping;

    virObjectLock(vm);
    if ((libxl = stubdomDomainEnter(driver, vm))) {
        if (stubdomGuestFind(libxl, vm->def->uuid, &domid) && stubdomGuestDestroy(libxl, domid) < 0) {
            VIR_ERROR(_("what is left of '%s', which libvirtd's end interrupted, remains: %s"), vm->def->name,
                      virGetLastErrorMessage());
        }
        stubdomDomainLeave(vm, libxl);
    }
    stubdomProcessEnded(driver, vm, stopping ? VIR_DOMAIN_SHUTOFF_DESTROYED : VIR_DOMAIN_SHUTOFF_FAILED);
    stubdomDomainQueueLifecycle(driver, vm, VIR_DOMAIN_EVENT_STOPPED,
                                stopping ? VIR_DOMAIN_EVENT_STOPPED_DESTROYED : VIR_DOMAIN_EVENT_STOPPED_FAILED);
    stubdomProcessRemoveInactive(driver, vm);
    virDomainObjEndJob(vm);
    virDomainObjEndAPI(&vm);
}

/* The network driver is asked, and guests. */
static void
reclaim(StubdomDriver *driver, void *opaque)
{
    virDomainObj *vm = opaque;

    virObjectLock(vm);
    stubdomUnplugResume(driver, vm);
    stubdomUnfinishedResolve(driver, vm);
    stubdomDomainReclaim(vm);
    stubdomDomainSaveStatus(driver, vm);
    virDomainObjEndJob(vm);
    virDomainObjEndAPI(&vm);
}

/* A save or a restore that libvirtd did not live to finish. */
static void
recover(StubdomDriver *driver, void *opaque)
{
    virDomainObj *vm = opaque;

    virObjectLock(vm);
    if (virDomainObjBeginJob(vm, VIR_JOB_MODIFY) == 0) {
        if (virDomainObjIsActive(vm)) {
            stubdomSaveRecover(driver, vm);
        }
        if (virDomainObjIsActive(vm)) {
            stubdomRestoreRecover(driver, vm);
        }
        stubdomProcessRemoveInactive(driver, vm);
        virDomainObjEndJob(vm);
    }
    virDomainObjEndAPI(&vm);
}

/* A guest that has shut down meanwhile is still there, and libxl tells of it as soon as it is watched. */
static void
takeUp(StubdomDriver *driver, virDomainObj *vm, StubdomGuestLife life)
{
    stubdomGuestRefresh(vm, life); /* others may have paused it, with xl say */
    stubdomGraphicsReclaim(vm->def);
    if (stubdomProcessConnect(driver, vm) < 0) {
        VIR_ERROR(_("the domain '%s' runs, and its end will not be noticed: %s"), vm->def->name,
                  virGetLastErrorMessage());
        virResetLastError();
    }
    stubdomDomainSaveStatus(driver, vm);
    if ((stubdomPrivate(vm)->savingTo || stubdomPrivate(vm)->restored) &&
        stubdomDriverRun(driver, "stubdom-recover", recover, virObjectRef(vm)) < 0) {
        virObjectUnref(vm);
    }
    if (vm->def->nnets + vm->def->nhostdevs > 0 || stubdomPrivate(vm)->changing) {
        runWithJob(driver, vm, VIR_JOB_MODIFY, "stubdom-reclaim", reclaim);
    }
}

static void
gone(StubdomDriver *driver, virDomainObj *vm)
{
    bool saving = stubdomPrivate(vm)->savingTo != NULL;
    bool saved = stubdomSaveRecoverGone(vm);
    int lost = saving ? VIR_DOMAIN_EVENT_STOPPED_FAILED : VIR_DOMAIN_EVENT_STOPPED_DESTROYED;

    stubdomManagedUsed(driver, vm);
    stubdomProcessEnded(driver, vm, saved ? VIR_DOMAIN_SHUTOFF_SAVED : VIR_DOMAIN_SHUTOFF_UNKNOWN);
    stubdomDomainQueueLifecycle(driver, vm, VIR_DOMAIN_EVENT_STOPPED, saved ? VIR_DOMAIN_EVENT_STOPPED_SAVED : lost);
}

/* Its devices go back to the host. */
static void
giveBack(StubdomDriver *driver, void *opaque)
{
    virDomainObj *vm = opaque;

    virObjectLock(vm);
    gone(driver, vm);
    stubdomProcessRemoveInactive(driver, vm);
    virDomainObjEndJob(vm);
    virDomainObjEndAPI(&vm);
}

static void
reconnect(StubdomDriver *driver, virDomainObj *vm)
{
    StubdomGuestLife life = STUBDOM_GUEST_UNKNOWN;
    uint32_t domid = 0;

    stubdomPrivate(vm)->counted = true;
    stubdomDriverAddActive(driver);
    stubdomHostdevReclaim(vm->def);
    if (!stubdomDomid(vm, &domid)) {
        runWithJob(driver, vm, VIR_JOB_DESTROY, "stubdom-remove", removeHalf);
        return;
    }
    life = stubdomGuestLife(driver->libxl, domid, vm->def->uuid);
    if (stubdomPrivate(vm)->stopping && !stubdomPrivate(vm)->savingTo && life != STUBDOM_GUEST_GONE) {
        runWithJob(driver, vm, VIR_JOB_DESTROY, "stubdom-remove", removeHalf);
        return;
    }
    if (life == STUBDOM_GUEST_GONE && vm->def->nhostdevs) {
        runWithJob(driver, vm, VIR_JOB_DESTROY, "stubdom-gone", giveBack);
    } else if (life == STUBDOM_GUEST_GONE) {
        VIR_INFO("the domain '%s' (%u) has ended meanwhile", vm->def->name, domid);
        gone(driver, vm);
    } else {
        takeUp(driver, vm, life);
    }
}

static int
reconnectOne(virDomainObj *vm, void *opaque)
{
    StubdomDriver *driver = opaque;

    virObjectLock(vm);
    if (virDomainObjIsActive(vm)) {
        if (driver->libxl) {
            reconnect(driver, vm);
        } else {
            /* Its status file stays for a libvirtd that can ask Xen. */
            vm->def->id = -1;
            virDomainObjSetState(vm, VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_UNKNOWN);
            virDomainObjRemoveTransientDef(vm);
        }
    }
    virObjectUnlock(vm);
    return 0;
}

/* --- stubdomains nobody owns ----------------------------------------------------------- */

static bool
isOrphan(StubdomLibxl *libxl, uint32_t domid)
{
    g_autofree char *name = NULL;
    char *found = NULL;
    uint32_t target = 0;

    if (!libxl_is_stubdom(libxl->ctx, domid, &target) || !(found = libxl_domid_to_name(libxl->ctx, domid))) {
        return false;
    }
    name = g_strdup(found);
    free(found);
    return g_str_has_suffix(name, "-dm") && stubdomGuestLife(libxl, target, NULL) == STUBDOM_GUEST_GONE;
}

static void
removeOrphans(StubdomDriver *driver, void *opaque)
{
    g_autoptr(StubdomLibxl) libxl = stubdomLibxlOpen();
    libxl_dominfo *list;
    int count = 0;

    if (!libxl) {
        return;
    }
    list = libxl_list_domain(libxl->ctx, &count);
    for (int i = 0; list && i < count; i++) {
        if (!list[i].dying && isOrphan(libxl, list[i].domid)) {
            VIR_WARN("domain %u is the stubdomain of a guest that is gone; it is destroyed", list[i].domid);
            if (stubdomGuestDestroy(libxl, list[i].domid) < 0) {
                VIR_ERROR(_("the stubdomain %u cannot be removed: %s"), list[i].domid, virGetLastErrorMessage());
                virResetLastError();
            }
        }
    }
    libxl_dominfo_list_free(list, count);
}

static int
removeOne(virDomainObj *vm, void *opaque)
{
    GPtrArray *ended = opaque;

    virObjectLock(vm);
    if (!vm->persistent && !virDomainObjIsActive(vm)) {
        g_ptr_array_add(ended, virObjectRef(vm));
    }
    virObjectUnlock(vm);
    return 0;
}

/* Transient domains that have ended meanwhile. */
static void
removeEnded(StubdomDriver *driver)
{
    g_autoptr(GPtrArray) ended = g_ptr_array_new();

    virDomainObjListForEach(driver->domains, false, removeOne, ended);
    for (guint i = 0; i < ended->len; i++) {
        virDomainObj *vm = g_ptr_array_index(ended, i);

        virObjectLock(vm);
        virDomainObjListRemove(driver->domains, vm);
        virDomainObjEndAPI(&vm);
    }
}

void
stubdomReconnectAll(StubdomDriver *driver)
{
    virDomainObjListForEach(driver->domains, false, reconnectOne, driver);
    removeEnded(driver);
    if (driver->libxl) {
        ignore_value(stubdomDriverRun(driver, "stubdom-orphans", removeOrphans, NULL));
    }
}
