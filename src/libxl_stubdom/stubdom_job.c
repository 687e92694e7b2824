/*
 * What is being done to a domain
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libvirt's jobs say since when. How far a save or a restore has come says the
 * pump that carries its bytes, and only these can be given up: what else takes
 * long is a call of libxl's that has no half way.
 */

#include "stubdom_compat.h"

#include "stubdom_job.h"

#include "viraccessapicheck.h"
#include "virtime.h"
#include "virtypedparam.h"

#include "stubdom_list.h"
#include "stubdom_method.h"

/* How long a job that changes the domain has been going on; VIR_DOMAIN_JOB_NONE if there is none. */
static void
readJob(const virDomainObj *vm, virDomainJobInfoPtr info)
{
    const StubdomDomainPrivate *priv = stubdomPrivate(vm);
    const virDomainJobObj *job = vm->job;
    unsigned long long since = job->asyncJob ? job->asyncStarted : job->started;
    unsigned long long now = 0;

    memset(info, 0, sizeof(*info));
    info->type = VIR_DOMAIN_JOB_NONE;
    if (!job->asyncJob && (!job->active || job->active == VIR_JOB_QUERY)) {
        return;
    }
    if (virTimeMillisNow(&now) < 0) {
        virResetLastError();
    }
    info->timeElapsed = now > since ? now - since : 0;
    info->type = VIR_DOMAIN_JOB_UNBOUNDED;
    if (priv->pump) {
        info->type = VIR_DOMAIN_JOB_BOUNDED;
        info->dataProcessed = stubdomPumpBytes(priv->pump);
        info->dataTotal = MAX(priv->dataTotal, info->dataProcessed);
        info->dataRemaining = info->dataTotal - info->dataProcessed;
    }
}

int
stubdomDomainGetJobInfo(virDomainPtr dom, virDomainJobInfoPtr info)
{
    virDomainObj *vm = stubdomDomainFind(dom);
    int result = -1;

    if (vm && virDomainGetJobInfoEnsureACL(dom->conn, vm->def) == 0 && stubdomDomainCheckActive(vm) == 0) {
        readJob(vm, info);
        result = 0;
    }
    virDomainObjEndAPI(&vm);
    return result;
}

static int
addStats(const virDomainObj *vm, const virDomainJobInfo *info, virTypedParameterPtr *params, int *nparams)
{
    int operation = VIR_DOMAIN_JOB_OPERATION_UNKNOWN;
    int size = 0;

    if (info->type == VIR_DOMAIN_JOB_NONE) {
        return 0;
    }
    if (virTypedParamsAddULLong(params, nparams, &size, VIR_DOMAIN_JOB_TIME_ELAPSED, info->timeElapsed) < 0) {
        return -1;
    }
    if (info->type != VIR_DOMAIN_JOB_BOUNDED) {
        return 0;
    }
    operation = vm->job->asyncJob ? VIR_DOMAIN_JOB_OPERATION_SAVE : VIR_DOMAIN_JOB_OPERATION_RESTORE;
    return virTypedParamsAddInt(params, nparams, &size, VIR_DOMAIN_JOB_OPERATION, operation) < 0 ||
                   virTypedParamsAddULLong(params, nparams, &size, VIR_DOMAIN_JOB_DATA_TOTAL, info->dataTotal) < 0 ||
                   virTypedParamsAddULLong(params, nparams, &size, VIR_DOMAIN_JOB_DATA_PROCESSED, info->dataProcessed) <
                       0 ||
                   virTypedParamsAddULLong(params, nparams, &size, VIR_DOMAIN_JOB_DATA_REMAINING, info->dataRemaining) <
                       0
               ? -1
               : 0;
}

int
stubdomDomainGetJobStats(virDomainPtr dom, int *type, virTypedParameterPtr *params, int *nparams, unsigned int flags)
{
    virDomainObj *vm = NULL;
    virDomainJobInfo info;
    int result = -1;

    virCheckFlags(0, -1);
    if (!(vm = stubdomDomainFind(dom))) {
        return -1;
    }
    *params = NULL;
    *nparams = 0;
    if (virDomainGetJobStatsEnsureACL(dom->conn, vm->def) == 0 && stubdomDomainCheckActive(vm) == 0) {
        readJob(vm, &info);
        *type = info.type;
        result = addStats(vm, &info, params, nparams);
    }
    virDomainObjEndAPI(&vm);
    return result;
}

/* --- giving up ------------------------------------------------------------------ */

bool
stubdomJobAbort(virDomainObj *vm)
{
    StubdomPump *pump = stubdomPrivate(vm)->pump;

    if (pump) {
        stubdomPumpAbort(pump);
    }
    return pump != NULL;
}

int
stubdomDomainAbortJobFlags(virDomainPtr dom, unsigned int flags)
{
    virDomainObj *vm;
    int result = -1;

    virCheckFlags(0, -1);
    if (!(vm = stubdomDomainFind(dom))) {
        return -1;
    }
    if (virDomainAbortJobFlagsEnsureACL(dom->conn, vm->def) == 0 && stubdomDomainCheckActive(vm) == 0) {
        if (stubdomJobAbort(vm)) {
            result = 0;
        } else {
            virReportError(VIR_ERR_OPERATION_INVALID, _("the domain '%s' is neither saved nor restored"),
                           vm->def->name);
        }
    }
    virDomainObjEndAPI(&vm);
    return result;
}

int
stubdomDomainAbortJob(virDomainPtr dom)
{
    return stubdomDomainAbortJobFlags(dom, 0);
}
