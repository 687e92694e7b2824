/*
 * What is being done to a domain
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libxl says nothing of how far it is, so there is a time and no progress.
 */

#include "stubdom_compat.h"

#include "stubdom_job.h"

#include "viraccessapicheck.h"
#include "virtime.h"
#include "virtypedparam.h"

#include "stubdom_list.h"
#include "stubdom_method.h"

/* How long a job that changes the domain has been going on, in @elapsed; VIR_DOMAIN_JOB_NONE if there is none. */
static int
jobOf(const virDomainObj *vm, unsigned long long *elapsed)
{
    const virDomainJobObj *job = vm->job;
    unsigned long long since = job->asyncJob ? job->asyncStarted : job->started;
    unsigned long long now = 0;

    *elapsed = 0;
    if (!job->asyncJob && (!job->active || job->active == VIR_JOB_QUERY)) {
        return VIR_DOMAIN_JOB_NONE;
    }
    if (virTimeMillisNow(&now) < 0) {
        virResetLastError();
    }
    *elapsed = now > since ? now - since : 0;
    return VIR_DOMAIN_JOB_UNBOUNDED;
}

int
stubdomDomainGetJobInfo(virDomainPtr dom, virDomainJobInfoPtr info)
{
    virDomainObj *vm = stubdomDomainFind(dom);
    int result = -1;

    if (vm && virDomainGetJobInfoEnsureACL(dom->conn, vm->def) == 0 && stubdomDomainCheckActive(vm) == 0) {
        memset(info, 0, sizeof(*info));
        info->type = jobOf(vm, &info->timeElapsed);
        result = 0;
    }
    virDomainObjEndAPI(&vm);
    return result;
}

int
stubdomDomainGetJobStats(virDomainPtr dom, int *type, virTypedParameterPtr *params, int *nparams, unsigned int flags)
{
    virDomainObj *vm = NULL;
    unsigned long long elapsed = 0;
    int size = 0;
    int result = -1;

    virCheckFlags(0, -1);
    if (!(vm = stubdomDomainFind(dom))) {
        return -1;
    }
    *params = NULL;
    *nparams = 0;
    if (virDomainGetJobStatsEnsureACL(dom->conn, vm->def) == 0 && stubdomDomainCheckActive(vm) == 0) {
        *type = jobOf(vm, &elapsed);
        result = *type == VIR_DOMAIN_JOB_NONE
                     ? 0
                     : virTypedParamsAddULLong(params, nparams, &size, VIR_DOMAIN_JOB_TIME_ELAPSED, elapsed);
    }
    virDomainObjEndAPI(&vm);
    return result;
}
