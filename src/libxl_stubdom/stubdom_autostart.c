/*
 * Domains that are started with the host
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Once a boot, a few at a time, each from its managed save image if it has one.
 */

#include "stubdom_compat.h"

#include "stubdom_autostart.h"

#include "stubdom_managed.h"
#include "stubdom_method.h"

VIR_LOG_INIT("stubdom.autostart");

/* Domains that are started at the same time: one waits for its stubdomain to boot while another's is made. */
#define AUTOSTART_THREADS 2

static void
autostartOne(StubdomDriver *driver, virDomainObj *vm)
{
    virObjectLock(vm);
    if (virDomainObjBeginJob(vm, VIR_JOB_MODIFY) == 0) {
        if (!virDomainObjIsActive(vm) && stubdomManagedStart(driver, vm, NULL, 0) < 0) {
            VIR_ERROR(_("the domain '%s' is not started with the host: %s"), vm->def->name, virGetLastErrorMessage());
        }
        virDomainObjEndJob(vm);
    }
    virObjectUnlock(vm);
}

/* One of the threads. */
static void
autostart(StubdomDriver *driver, void *opaque)
{
    g_autoptr(GAsyncQueue) queue = opaque;
    virDomainObj *vm;

    while (!stubdomDriverIsEnding(driver) && (vm = g_async_queue_try_pop(queue))) {
        autostartOne(driver, vm);
        virObjectUnref(vm);
    }
}

static int
queueWanted(virDomainObj *vm, void *opaque)
{
    virObjectLock(vm);
    if (vm->autostart && !virDomainObjIsActive(vm)) {
        g_async_queue_push(opaque, virObjectRef(vm));
    }
    virObjectUnlock(vm);
    return 0;
}

void
stubdomAutostart(StubdomDriver *driver)
{
    g_autoptr(GAsyncQueue) queue = g_async_queue_new_full(virObjectUnref);
    bool due = false;
    int threads;

    if (!driver->libxl || virDriverShouldAutostart(driver->stateDir, &due) < 0 || !due) {
        return;
    }
    virDomainObjListForEach(driver->domains, false, queueWanted, queue);
    threads = MIN(g_async_queue_length(queue), AUTOSTART_THREADS);
    for (int i = 0; i < threads; i++) {
        if (stubdomDriverRun(driver, "stubdom-autostart", autostart, g_async_queue_ref(queue)) < 0) {
            g_async_queue_unref(queue);
        }
    }
}
