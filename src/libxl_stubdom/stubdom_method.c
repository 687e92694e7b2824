/*
 * What methods on a domain have in common
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The order of locks: list of domains, domain, driver->lock, monitor. libxl's
 * are taken below a domain's for short questions only.
 */

#include "stubdom_compat.h"

#include "stubdom_method.h"

#include "domain_event.h"

VIR_LOG_INIT("stubdom.method");

int
stubdomDomainCheckActive(const virDomainObj *vm)
{
    if (vm->def->id != -1) {
        return 0;
    }
    virReportError(VIR_ERR_OPERATION_INVALID, _("the domain '%s' is not running"), vm->def->name);
    return -1;
}

int
stubdomDomainBeginJob(virDomainObj *vm, virDomainJob job, bool active)
{
    if (virDomainObjBeginJob(vm, job) < 0) {
        return -1;
    }
    if (active && stubdomDomainCheckActive(vm) < 0) {
        virDomainObjEndJob(vm);
        return -1;
    }
    return 0;
}

StubdomMonitor *
stubdomDomainMonitor(const virDomainObj *vm)
{
    const StubdomDomainPrivate *priv = stubdomPrivate(vm);

    if (!priv->monitor) {
        virReportError(VIR_ERR_OPERATION_FAILED, _("the device model of the domain '%s' is not connected"),
                       vm->def->name);
        return NULL;
    }
    return stubdomMonitorRef(priv->monitor);
}

StubdomLibxl *
stubdomDomainEnter(const StubdomDriver *driver, virDomainObj *vm)
{
    StubdomLibxl *libxl = stubdomDriverHasXen(driver) == 0 ? stubdomLibxlOpen() : NULL;

    if (libxl) {
        virObjectUnlock(vm);
    }
    return libxl;
}

void
stubdomDomainLeave(virDomainObj *vm, StubdomLibxl *libxl)
{
    stubdomLibxlClose(libxl);
    virObjectLock(vm);
}

int
stubdomDomainSave(const StubdomDriver *driver, virDomainObj *vm, bool live, bool config)
{
    if (live && virDomainObjSave(vm, driver->xmlopt, driver->stateDir) < 0) {
        return -1;
    }
    if (config && virDomainDefSave(vm->newDef ? vm->newDef : vm->def, driver->xmlopt, driver->configDir) < 0) {
        return -1;
    }
    return 0;
}

void
stubdomDomainSaveStatus(const StubdomDriver *driver, virDomainObj *vm)
{
    if (stubdomDomainSave(driver, vm, true, false) < 0) {
        VIR_ERROR(_("the state of the domain '%s' is not written down, a restart of libvirtd would not know it: %s"),
                  vm->def->name, virGetLastErrorMessage());
        virResetLastError();
    }
}

void
stubdomDomainQueueLifecycle(const StubdomDriver *driver, virDomainObj *vm, int type, int detail)
{
    virObjectEventStateQueue(driver->events, virDomainEventLifecycleNewFromObj(vm, type, detail));
}
