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

static virDomainJobOperation
operationOf(const virDomainObj *vm)
{
    return vm->job->asyncJob ? VIR_DOMAIN_JOB_OPERATION_SAVE : VIR_DOMAIN_JOB_OPERATION_RESTORE;
}

static int
addBytes(const virDomainJobInfo *info, virTypedParamList *list)
{
    return virTypedParamListAddULLong(list, info->dataTotal, VIR_DOMAIN_JOB_DATA_TOTAL) < 0 ||
                   virTypedParamListAddULLong(list, info->dataProcessed, VIR_DOMAIN_JOB_DATA_PROCESSED) < 0 ||
                   virTypedParamListAddULLong(list, info->dataRemaining, VIR_DOMAIN_JOB_DATA_REMAINING) < 0
               ? -1
               : 0;
}

/* @operation: counts where the job's bytes do */
static int
addStats(const virDomainJobInfo *info, virDomainJobOperation operation, virTypedParamList *list)
{
    if (info->type == VIR_DOMAIN_JOB_NONE) {
        return 0;
    }
    if (virTypedParamListAddULLong(list, info->timeElapsed, VIR_DOMAIN_JOB_TIME_ELAPSED) < 0) {
        return -1;
    }
    if (info->type == VIR_DOMAIN_JOB_UNBOUNDED) {
        return 0;
    }
    return virTypedParamListAddInt(list, operation, VIR_DOMAIN_JOB_OPERATION) < 0 || addBytes(info, list) < 0 ? -1 : 0;
}

/* A domain that was saved is not active any more. While another job is under way there is nothing to be told. */
static int
completedStats(virDomainObj *vm, bool keep, int *type, virTypedParamList *list)
{
    StubdomDomainPrivate *priv = stubdomPrivate(vm);

    if (vm->job->asyncJob || priv->pump) {
        *type = VIR_DOMAIN_JOB_NONE;
        return 0;
    }
    *type = priv->completed.type;
    if (addStats(&priv->completed, priv->completedOperation, list) < 0) {
        return -1;
    }
    if (!keep) {
        priv->completed.type = VIR_DOMAIN_JOB_NONE;
    }
    return 0;
}

static int
presentStats(virDomainObj *vm, int *type, virTypedParamList *list)
{
    virDomainJobInfo info;

    if (stubdomDomainCheckActive(vm) < 0) {
        return -1;
    }
    readJob(vm, &info);
    *type = info.type;
    return addStats(&info, operationOf(vm), list);
}

int
stubdomDomainGetJobStats(virDomainPtr dom, int *type, virTypedParameterPtr *params, int *nparams, unsigned int flags)
{
    g_autoptr(virTypedParamList) list = virTypedParamListNew();
    virDomainObj *vm = NULL;
    int result = -1;

    virCheckFlags(VIR_DOMAIN_JOB_STATS_COMPLETED | VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED, -1);
    if (!(vm = stubdomDomainFind(dom))) {
        return -1;
    }
    if (virDomainGetJobStatsEnsureACL(dom->conn, vm->def) == 0) {
        result = flags & VIR_DOMAIN_JOB_STATS_COMPLETED
                     ? completedStats(vm, flags & VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED, type, list)
                     : presentStats(vm, type, list);
    }
    if (result == 0) {
        *nparams = virTypedParamListStealParams(list, params);
    }
    virDomainObjEndAPI(&vm);
    return result;
}

void
stubdomJobCompleted(virDomainObj *vm, virDomainJobOperation operation, unsigned long long bytes)
{
    StubdomDomainPrivate *priv = stubdomPrivate(vm);

    readJob(vm, &priv->completed);
    priv->completed.type = VIR_DOMAIN_JOB_COMPLETED;
    priv->completed.dataTotal = bytes;
    priv->completed.dataProcessed = bytes;
    priv->completed.dataRemaining = 0;
    priv->completedOperation = operation;
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
