/*
 * What Xen knows of a domain
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Short questions, which may be put with the domain locked. A domain may be
 * gone before we hear of its end; that is no error of Xen's.
 */

#include "stubdom_compat.h"

#include "stubdom_xendomain.h"

#include "stubdom_private.h"

static int
stateOf(const libxl_dominfo *info)
{
    if (info->shutdown) {
        return info->shutdown_reason == LIBXL_SHUTDOWN_REASON_CRASH ? VIR_DOMAIN_CRASHED : VIR_DOMAIN_SHUTOFF;
    }
    if (info->dying) {
        return VIR_DOMAIN_SHUTDOWN;
    }
    return info->paused ? VIR_DOMAIN_PAUSED : VIR_DOMAIN_RUNNING;
}

static int
ask(const StubdomDriver *driver, uint32_t domid, StubdomXenDomain *found)
{
    libxl_dominfo info;
    int rc;

    libxl_dominfo_init(&info);
    if ((rc = libxl_domain_info(driver->libxl->ctx, &info, domid)) == 0) {
        *found = (StubdomXenDomain){
            .domid = domid,
            .state = stateOf(&info),
            .cpuTime = info.cpu_time,
            .memory = info.current_memkb,
            .memoryMax = info.max_memkb,
            .vcpusOnline = info.vcpu_online,
            .vcpus = info.vcpu_max_id + 1,
        };
    } else if (rc != ERROR_DOMAIN_NOTFOUND) {
        stubdomLibxlError(driver->libxl, rc, _("Xen does not tell about the domain"));
    }
    libxl_dominfo_dispose(&info);
    if (rc == ERROR_DOMAIN_NOTFOUND) {
        return 0;
    }
    return rc == 0 ? 1 : -1;
}

int
stubdomXenDomainGet(const StubdomDriver *driver, const virDomainObj *vm, StubdomXenDomain *found)
{
    uint32_t domid = 0;

    return driver->libxl && stubdomDomid(vm, &domid) ? ask(driver, domid, found) : 0;
}

int
stubdomXenDomainGetStubdomain(const StubdomDriver *driver, const virDomainObj *vm, StubdomXenDomain *found)
{
    uint32_t domid = stubdomPrivate(vm)->stubdomain;

    return driver->libxl && domid ? ask(driver, domid, found) : 0;
}

int
stubdomXenDomainNeed(const StubdomDriver *driver, const virDomainObj *vm, StubdomXenDomain *found)
{
    int result = stubdomXenDomainGet(driver, vm, found);

    if (result == 0) {
        virReportError(VIR_ERR_OPERATION_INVALID, _("the domain '%s' is not running"), vm->def->name);
    }
    return result == 1 ? 0 : -1;
}

int
stubdomXenDomainNeedStubdomain(const StubdomDriver *driver, const virDomainObj *vm, StubdomXenDomain *found)
{
    int result = stubdomXenDomainGetStubdomain(driver, vm, found);

    if (result == 0) {
        virReportError(VIR_ERR_OPERATION_INVALID, _("the domain '%s' has no stubdomain that runs"), vm->def->name);
    }
    return result == 1 ? 0 : -1;
}
