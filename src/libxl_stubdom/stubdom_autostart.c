/*
 * Domains that are started with the host
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Once a boot, each in a thread of its own, from its managed save image if it
 * has one.
 */

#include "stubdom_compat.h"

#include "stubdom_autostart.h"

#include "stubdom_managed.h"
#include "stubdom_method.h"

VIR_LOG_INIT("stubdom.autostart");

static void
autostart(StubdomDriver *driver, void *opaque)
{
    virDomainObj *vm = opaque;

    virObjectLock(vm);
    if (virDomainObjBeginJob(vm, VIR_JOB_MODIFY) == 0) {
        if (!virDomainObjIsActive(vm) && stubdomManagedStart(driver, vm, NULL, 0) < 0) {
            VIR_ERROR(_("the domain '%s' is not started with the host: %s"), vm->def->name, virGetLastErrorMessage());
        }
        virDomainObjEndJob(vm);
    }
    virDomainObjEndAPI(&vm);
}

static int
autostartOne(virDomainObj *vm, void *opaque)
{
    StubdomDriver *driver = opaque;
    bool wanted;

    virObjectLock(vm);
    wanted = vm->autostart && !virDomainObjIsActive(vm);
    virObjectUnlock(vm);
    if (wanted && stubdomDriverRun(driver, "stubdom-autostart", autostart, virObjectRef(vm)) < 0) {
        virObjectUnref(vm);
    }
    return 0;
}

void
stubdomAutostart(StubdomDriver *driver)
{
    bool due = false;

    if (!driver->libxl || virDriverShouldAutostart(driver->stateDir, &due) < 0 || !due) {
        return;
    }
    virDomainObjListForEach(driver->domains, false, autostartOne, driver);
}
