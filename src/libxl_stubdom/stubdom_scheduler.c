/*
 * A domain's share of the processors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Xen schedules the stubdomain as any domain, so it has a weight and a cap of
 * its own, beside the guest's: "stubdom.weight" and "stubdom.cap". A guest's
 * weight says nothing of how busy its devices are, therefore they are not
 * coupled. A definition has a place for the guest's weight only (<shares>).
 */

#include "stubdom_compat.h"

#include "stubdom_scheduler.h"

#include "domain_event.h"
#include "viraccessapicheck.h"
#include "virtypedparam.h"

#include "stubdom_list.h"
#include "stubdom_method.h"

#define STUBDOM_WEIGHT "stubdom.weight"
#define STUBDOM_CAP "stubdom.cap"
#define WEIGHT_DEFAULT 256 /* of credit and credit2, xl(1) */
#define PARAMS 4

/* libxl_scheduler that has weight and cap, or an error. */
static int
checkScheduler(const StubdomDriver *driver)
{
    int scheduler = libxl_get_scheduler(driver->libxl->ctx);

    if (scheduler != LIBXL_SCHEDULER_CREDIT && scheduler != LIBXL_SCHEDULER_CREDIT2) {
        virReportError(VIR_ERR_OPERATION_UNSUPPORTED,
                       _("Xen's scheduler is '%s'; weight and cap are those of credit and credit2"),
                       NULLSTR(libxl_scheduler_to_string((libxl_scheduler)scheduler)));
        return -1;
    }
    return 0;
}

static int
getFromXen(const StubdomDriver *driver, uint32_t domid, libxl_domain_sched_params *found)
{
    int rc = libxl_domain_sched_params_get(driver->libxl->ctx, domid, found);

    if (rc != 0) {
        stubdomLibxlError(driver->libxl, rc, _("Xen does not tell how the domain is scheduled"));
        return -1;
    }
    return 0;
}

/* The two domids of a running domain; the stubdomain's is 0 if it has none. */
static int
getDomids(const virDomainObj *vm, uint32_t *guest, uint32_t *stubdomain)
{
    if (stubdomDomainCheckActive(vm) < 0) {
        return -1;
    }
    if (!stubdomDomid(vm, guest)) {
        virReportError(VIR_ERR_OPERATION_INVALID, _("the domain '%s' is still being started"), vm->def->name);
        return -1;
    }
    *stubdomain = stubdomPrivate(vm)->stubdomain;
    return 0;
}

char *
stubdomDomainGetSchedulerType(virDomainPtr dom, int *nparams)
{
    const StubdomDriver *driver = dom->conn->privateData;
    virDomainObj *vm = stubdomDomainFind(dom);
    char *name = NULL;

    if (vm && virDomainGetSchedulerTypeEnsureACL(dom->conn, vm->def) == 0 && stubdomDriverHasXen(driver) == 0) {
        int scheduler = libxl_get_scheduler(driver->libxl->ctx);
        bool known = scheduler == LIBXL_SCHEDULER_CREDIT || scheduler == LIBXL_SCHEDULER_CREDIT2;

        name = g_strdup(scheduler < 0 ? NULL : libxl_scheduler_to_string((libxl_scheduler)scheduler));
        if (!name) {
            stubdomLibxlError(driver->libxl, scheduler, _("Xen does not tell its scheduler"));
        }
        if (nparams) {
            *nparams = known ? PARAMS : 0;
        }
    }
    virDomainObjEndAPI(&vm);
    return name;
}

/* --- get ---------------------------------------------------------------------------------- */

static int
assign(virTypedParameterPtr params, int *filled, int size, const char *name, int value)
{
    if (*filled >= size) {
        return 0;
    }
    return virTypedParameterAssign(&params[(*filled)++], name, VIR_TYPED_PARAM_UINT, (unsigned int)value);
}

static int
getLive(const StubdomDriver *driver, const virDomainObj *vm, virTypedParameterPtr params, int *nparams)
{
    libxl_domain_sched_params found;
    uint32_t guest = 0;
    uint32_t stubdomain = 0;
    int filled = 0;
    int result = -1;

    if (getDomids(vm, &guest, &stubdomain) < 0 || checkScheduler(driver) < 0) {
        return -1;
    }
    libxl_domain_sched_params_init(&found);
    if (getFromXen(driver, guest, &found) == 0 &&
        assign(params, &filled, *nparams, VIR_DOMAIN_SCHEDULER_WEIGHT, found.weight) == 0 &&
        assign(params, &filled, *nparams, VIR_DOMAIN_SCHEDULER_CAP, found.cap) == 0) {
        result = 0;
    }
    if (result == 0 && stubdomain &&
        (getFromXen(driver, stubdomain, &found) < 0 ||
         assign(params, &filled, *nparams, STUBDOM_WEIGHT, found.weight) < 0 ||
         assign(params, &filled, *nparams, STUBDOM_CAP, found.cap) < 0)) {
        result = -1;
    }
    libxl_domain_sched_params_dispose(&found);
    *nparams = filled;
    return result;
}

/* What a start would give it. */
static int
getConfig(const virDomainDef *def, virTypedParameterPtr params, int *nparams)
{
    int weight = def->cputune.sharesSpecified ? (int)def->cputune.shares : WEIGHT_DEFAULT;
    int filled = 0;

    if (assign(params, &filled, *nparams, VIR_DOMAIN_SCHEDULER_WEIGHT, weight) < 0 ||
        assign(params, &filled, *nparams, VIR_DOMAIN_SCHEDULER_CAP, 0) < 0 ||
        assign(params, &filled, *nparams, STUBDOM_WEIGHT, WEIGHT_DEFAULT) < 0 ||
        assign(params, &filled, *nparams, STUBDOM_CAP, 0) < 0) {
        return -1;
    }
    *nparams = filled;
    return 0;
}

int
stubdomDomainGetSchedulerParametersFlags(virDomainPtr dom, virTypedParameterPtr params, int *nparams,
                                         unsigned int flags)
{
    const StubdomDriver *driver = dom->conn->privateData;
    virDomainDef *live = NULL;
    virDomainDef *config = NULL;
    virDomainObj *vm = NULL;
    int result = -1;

    virCheckFlags(VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG | VIR_TYPED_PARAM_STRING_OKAY, -1);
    if (!(vm = stubdomDomainFind(dom))) {
        return -1;
    }
    if (virDomainGetSchedulerParametersFlagsEnsureACL(dom->conn, vm->def) == 0 &&
        virDomainObjGetDefs(vm, flags & (VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG), &live, &config) == 0) {
        result = live ? getLive(driver, vm, params, nparams) : getConfig(config, params, nparams);
    }
    virDomainObjEndAPI(&vm);
    return result;
}

int
stubdomDomainGetSchedulerParameters(virDomainPtr dom, virTypedParameterPtr params, int *nparams)
{
    return stubdomDomainGetSchedulerParametersFlags(dom, params, nparams, 0);
}

/* --- set ---------------------------------------------------------------------------------- */

/* Sets what is in @params under these names, if anything is. */
static int
setInXen(const StubdomDriver *driver, uint32_t domid, virTypedParameterPtr params, int nparams, const char *weightName,
         const char *capName)
{
    libxl_domain_sched_params wanted;
    unsigned int weight = 0;
    unsigned int cap = 0;
    bool hasWeight = virTypedParamsGetUInt(params, nparams, weightName, &weight) == 1;
    bool hasCap = virTypedParamsGetUInt(params, nparams, capName, &cap) == 1;
    int rc = 0;

    if (!hasWeight && !hasCap) {
        return 0;
    }
    if (!domid) {
        virReportError(VIR_ERR_OPERATION_INVALID, "%s", _("there is no stubdomain that runs"));
        return -1;
    }
    libxl_domain_sched_params_init(&wanted);
    if (hasWeight) {
        wanted.weight = (int)weight;
    }
    if (hasCap) {
        wanted.cap = (int)cap;
    }
    if ((rc = libxl_domain_sched_params_set(driver->libxl->ctx, domid, &wanted)) != 0) {
        stubdomLibxlError(driver->libxl, rc, _("Xen does not take these parameters of its scheduler"));
    }
    libxl_domain_sched_params_dispose(&wanted);
    return rc == 0 ? 0 : -1;
}

static void
setShares(virDomainDef *def, virTypedParameterPtr params, int nparams)
{
    unsigned int weight = 0;

    if (virTypedParamsGetUInt(params, nparams, VIR_DOMAIN_SCHEDULER_WEIGHT, &weight) == 1) {
        def->cputune.shares = weight;
        def->cputune.sharesSpecified = true;
    }
}

static virObjectEvent *
newEvent(virDomainObj *vm)
{
    virTypedParameterPtr params = NULL;
    int count = 0;
    int size = 0;

    if (!vm->def->cputune.sharesSpecified ||
        virTypedParamsAddULLong(&params, &count, &size, VIR_DOMAIN_TUNABLE_CPU_CPU_SHARES, vm->def->cputune.shares) <
            0) {
        return NULL;
    }
    return virDomainEventTunableNewFromObj(vm, &params, count);
}

static int
checkConfig(virTypedParameterPtr params, int nparams)
{
    for (int i = 0; i < nparams; i++) {
        if (STRNEQ(params[i].field, VIR_DOMAIN_SCHEDULER_WEIGHT)) {
            virReportError(VIR_ERR_CONFIG_UNSUPPORTED,
                           _("a definition has no place for the scheduler's '%s'; it can be set while the domain runs"),
                           params[i].field);
            return -1;
        }
    }
    return 0;
}

/* With a job. */
static int
setParameters(StubdomDriver *driver, virDomainObj *vm, virTypedParameterPtr params, int nparams, unsigned int flags)
{
    virDomainDef *live = NULL;
    virDomainDef *config = NULL;
    uint32_t guest = 0;
    uint32_t stubdomain = 0;

    if (virDomainObjGetDefs(vm, flags, &live, &config) < 0 || (config && checkConfig(params, nparams) < 0)) {
        return -1;
    }
    if (live) {
        if (getDomids(vm, &guest, &stubdomain) < 0 || checkScheduler(driver) < 0 ||
            setInXen(driver, guest, params, nparams, VIR_DOMAIN_SCHEDULER_WEIGHT, VIR_DOMAIN_SCHEDULER_CAP) < 0 ||
            setInXen(driver, stubdomain, params, nparams, STUBDOM_WEIGHT, STUBDOM_CAP) < 0) {
            return -1;
        }
        setShares(live, params, nparams);
        stubdomDomainSaveStatus(driver, vm);
        virObjectEventStateQueue(driver->events, newEvent(vm));
    }
    if (config) {
        setShares(config, params, nparams);
    }
    return stubdomDomainSave(driver, vm, false, config != NULL);
}

int
stubdomDomainSetSchedulerParametersFlags(virDomainPtr dom, virTypedParameterPtr params, int nparams, unsigned int flags)
{
    virDomainObj *vm = NULL;
    int result = -1;

    virCheckFlags(VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG, -1);
    if (virTypedParamsValidate(params, nparams, VIR_DOMAIN_SCHEDULER_WEIGHT, VIR_TYPED_PARAM_UINT,
                               VIR_DOMAIN_SCHEDULER_CAP, VIR_TYPED_PARAM_UINT, STUBDOM_WEIGHT, VIR_TYPED_PARAM_UINT,
                               STUBDOM_CAP, VIR_TYPED_PARAM_UINT, NULL) < 0 ||
        !(vm = stubdomDomainFind(dom))) {
        return -1;
    }
    if (virDomainSetSchedulerParametersFlagsEnsureACL(dom->conn, vm->def, flags) == 0 &&
        stubdomDomainBeginJob(vm, VIR_JOB_MODIFY, false) == 0) {
        result = setParameters(dom->conn->privateData, vm, params, nparams, flags);
        virDomainObjEndJob(vm);
    }
    virDomainObjEndAPI(&vm);
    return result;
}

int
stubdomDomainSetSchedulerParameters(virDomainPtr dom, virTypedParameterPtr params, int nparams)
{
    return stubdomDomainSetSchedulerParametersFlags(dom, params, nparams, 0);
}
