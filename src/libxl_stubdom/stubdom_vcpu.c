/*
 * A domain's vCPUs
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The guest's. The stubdomain has one, and that is not changed. A running guest
 * can be given vCPUs if its device model can plug them in; libxl has no way to
 * take one from an HVM guest.
 */

#include "stubdom_compat.h"

#include "stubdom_vcpu.h"

#include <libxl_utils.h>

#include "viraccessapicheck.h"
#include "virtypedparam.h"

#include "stubdom_domaincaps.h"
#include "stubdom_list.h"
#include "stubdom_method.h"
#include "stubdom_xendomain.h"

#define STUBDOM_CPU_TIME "stubdom.cpu_time"

/* --- number ------------------------------------------------------------------------------ */

static int
checkCount(const virDomainDef *def, unsigned int count, unsigned int flags)
{
    unsigned int limit = flags & VIR_DOMAIN_VCPU_MAXIMUM ? STUBDOM_VCPUS_MAX : virDomainDefGetVcpusMax(def);

    if (count < 1 || count > limit) {
        virReportError(VIR_ERR_INVALID_ARG, _("the domain '%s' can have from 1 to %u vCPUs, and not %u"), def->name,
                       limit, count);
        return -1;
    }
    return 0;
}

/* Unlocks. */
static int
plug(const StubdomDriver *driver, virDomainObj *vm, unsigned int count)
{
    unsigned int before = virDomainDefGetVcpus(vm->def);
    StubdomLibxl *libxl;
    libxl_bitmap online;
    uint32_t domid = 0;
    int rc;

    if (count == before) {
        return 0;
    }
    if (count < before) {
        virReportError(VIR_ERR_OPERATION_UNSUPPORTED,
                       _("the domain '%s' has %u vCPUs, and libxl cannot take one from a running HVM guest"),
                       vm->def->name, before);
        return -1;
    }
    if (!stubdomDomid(vm, &domid) || !(libxl = stubdomDomainEnter(driver, vm))) {
        return -1;
    }
    libxl_bitmap_init(&online);
    if ((rc = libxl_bitmap_alloc(libxl->ctx, &online, (int)count)) == 0) {
        for (unsigned int i = 0; i < count; i++) {
            libxl_bitmap_set(&online, (int)i);
        }
        rc = libxl_set_vcpuonline(libxl->ctx, domid, &online, NULL);
    }
    if (rc != 0) {
        stubdomLibxlError(libxl, rc, _("the device model cannot plug in vCPUs while the guest runs"));
    }
    libxl_bitmap_dispose(&online);
    stubdomDomainLeave(vm, libxl);
    return rc == 0 ? stubdomDomainCheckActive(vm) : -1;
}

static int
setInConfig(const StubdomDriver *driver, virDomainDef *def, unsigned int count, bool maximum)
{
    return maximum ? virDomainDefSetVcpusMax(def, count, driver->xmlopt) : virDomainDefSetVcpus(def, count);
}

/* With a job. */
static int
setVcpus(const StubdomDriver *driver, virDomainObj *vm, unsigned int count, unsigned int flags)
{
    bool maximum = flags & VIR_DOMAIN_VCPU_MAXIMUM;
    virDomainDef *live = NULL;
    virDomainDef *config = NULL;

    if (virDomainObjGetDefs(vm, flags & (VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG), &live, &config) < 0) {
        return -1;
    }
    if (live && maximum) {
        virReportError(VIR_ERR_INVALID_ARG, "%s", _("the maximum of a running domain's vCPUs cannot be changed"));
        return -1;
    }
    if ((live && (checkCount(live, count, flags) < 0 || plug(driver, vm, count) < 0)) ||
        (config && checkCount(config, count, flags) < 0)) {
        return -1;
    }
    if (live && virDomainDefSetVcpus(live, count) == 0) {
        stubdomDomainSaveStatus(driver, vm);
    }
    if (config && setInConfig(driver, config, count, maximum) < 0) {
        return -1;
    }
    return stubdomDomainSave(driver, vm, false, config != NULL);
}

int
stubdomDomainSetVcpusFlags(virDomainPtr dom, unsigned int count, unsigned int flags)
{
    const StubdomDriver *driver = dom->conn->privateData;
    virDomainObj *vm = NULL;
    int result = -1;

    virCheckFlags(VIR_DOMAIN_VCPU_LIVE | VIR_DOMAIN_VCPU_CONFIG | VIR_DOMAIN_VCPU_MAXIMUM, -1);
    if (!(vm = stubdomDomainFind(dom))) {
        return -1;
    }
    if (virDomainSetVcpusFlagsEnsureACL(dom->conn, vm->def, flags) == 0 &&
        stubdomDomainBeginJob(vm, VIR_JOB_MODIFY, false) == 0) {
        result = setVcpus(driver, vm, count, flags);
        virDomainObjEndJob(vm);
    }
    virDomainObjEndAPI(&vm);
    return result;
}

/*
 * How many vCPUs @def has when those of @map are switched on or off; 0 with an
 * error if they are not the first ones then: QEMU gets a number at the start.
 */
static unsigned int
countSwitched(virDomainDef *def, virBitmap *map, bool on)
{
    unsigned int count = 0;
    bool gap = false;

    if (virBitmapLastSetBit(map) >= (ssize_t)virDomainDefGetVcpusMax(def)) {
        virReportError(VIR_ERR_INVALID_ARG, _("the domain '%s' has vCPUs 0 to %u, and no %zd"), def->name,
                       virDomainDefGetVcpusMax(def) - 1, virBitmapLastSetBit(map));
        return 0;
    }
    for (unsigned int i = 0; i < virDomainDefGetVcpusMax(def); i++) {
        bool online = virBitmapIsBitSet(map, i) ? on : virDomainDefGetVcpu(def, i)->online;

        gap = gap || (online && count != i);
        count += online ? 1 : 0;
    }
    if (count == 0 || gap) {
        virReportError(VIR_ERR_OPERATION_UNSUPPORTED,
                       _("the domain '%s' can only have its first vCPUs on, one at least: add them in their order"),
                       def->name);
        return 0;
    }
    return count;
}

/* With a job. */
static int
setVcpu(const StubdomDriver *driver, virDomainObj *vm, virBitmap *map, bool on, unsigned int flags)
{
    virDomainDef *live = NULL;
    virDomainDef *config = NULL;
    unsigned int countLive = 0;
    unsigned int countConfig = 0;

    if (virDomainObjGetDefs(vm, flags, &live, &config) < 0 ||
        (live && (countLive = countSwitched(live, map, on)) == 0) ||
        (config && (countConfig = countSwitched(config, map, on)) == 0) ||
        (live && setVcpus(driver, vm, countLive, VIR_DOMAIN_VCPU_LIVE) < 0)) {
        return -1;
    }
    return config ? setVcpus(driver, vm, countConfig, VIR_DOMAIN_VCPU_CONFIG) : 0;
}

int
stubdomDomainSetVcpu(virDomainPtr dom, const char *vcpumap, int state, unsigned int flags)
{
    const StubdomDriver *driver = dom->conn->privateData;
    g_autoptr(virBitmap) map = NULL;
    virDomainObj *vm = NULL;
    int result = -1;

    virCheckFlags(VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG, -1);
    if (virBitmapParse(vcpumap, &map, STUBDOM_VCPUS_MAX) < 0) {
        return -1;
    }
    if (virBitmapIsAllClear(map) || (state != 0 && state != 1)) {
        virReportError(VIR_ERR_INVALID_ARG, _("the vCPUs '%s' cannot be given the state %d: name some, and 0 or 1"),
                       vcpumap, state);
        return -1;
    }
    if (!(vm = stubdomDomainFind(dom))) {
        return -1;
    }
    if (virDomainSetVcpuEnsureACL(dom->conn, vm->def, flags) == 0 &&
        stubdomDomainBeginJob(vm, VIR_JOB_MODIFY, false) == 0) {
        result = setVcpu(driver, vm, map, state == 1, flags);
        virDomainObjEndJob(vm);
    }
    virDomainObjEndAPI(&vm);
    return result;
}

int
stubdomDomainSetVcpus(virDomainPtr dom, unsigned int count)
{
    return stubdomDomainSetVcpusFlags(dom, count, VIR_DOMAIN_VCPU_LIVE);
}

int
stubdomDomainGetVcpusFlags(virDomainPtr dom, unsigned int flags)
{
    virDomainObj *vm = NULL;
    const virDomainDef *def = NULL;
    int result = -1;

    virCheckFlags(VIR_DOMAIN_VCPU_LIVE | VIR_DOMAIN_VCPU_CONFIG | VIR_DOMAIN_VCPU_MAXIMUM, -1);
    if (!(vm = stubdomDomainFind(dom))) {
        return -1;
    }
    if (virDomainGetVcpusFlagsEnsureACL(dom->conn, vm->def, flags) == 0 &&
        (def = virDomainObjGetOneDef(vm, flags & (VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG)))) {
        result = (int)(flags & VIR_DOMAIN_VCPU_MAXIMUM ? virDomainDefGetVcpusMax(def) : virDomainDefGetVcpus(def));
    }
    virDomainObjEndAPI(&vm);
    return result;
}

int
stubdomDomainGetMaxVcpus(virDomainPtr dom)
{
    return stubdomDomainGetVcpusFlags(dom, VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_VCPU_MAXIMUM);
}

/* --- what they do ---------------------------------------------------------------------------- */

static libxl_vcpuinfo *
listVcpus(const StubdomDriver *driver, const virDomainObj *vm, int *count)
{
    StubdomXenDomain guest;
    libxl_vcpuinfo *vcpus = NULL;
    int cpus = 0;

    if (stubdomXenDomainNeed(driver, vm, &guest) == 0 &&
        !(vcpus = libxl_list_vcpu(driver->libxl->ctx, guest.domid, count, &cpus))) {
        stubdomLibxlError(driver->libxl, ERROR_FAIL, _("Xen does not tell about the domain's vCPUs"));
    }
    return vcpus;
}

static void
fillVcpu(const libxl_vcpuinfo *vcpu, virVcpuInfoPtr info)
{
    info->number = vcpu->vcpuid;
    info->cpuTime = vcpu->vcpu_time;
    if (!vcpu->online) {
        info->state = VIR_VCPU_OFFLINE;
        info->cpu = VIR_VCPU_INFO_CPU_OFFLINE;
        return;
    }
    info->state = vcpu->blocked ? VIR_VCPU_BLOCKED : VIR_VCPU_RUNNING;
    info->cpu = (int)vcpu->cpu;
}

int
stubdomDomainGetVcpus(virDomainPtr dom, virVcpuInfoPtr info, int maxinfo, unsigned char *maps, int length)
{
    const StubdomDriver *driver = dom->conn->privateData;
    virDomainObj *vm = stubdomDomainFind(dom);
    libxl_vcpuinfo *vcpus = NULL;
    int count = 0;
    int filled = -1;

    if (vm && virDomainGetVcpusEnsureACL(dom->conn, vm->def) == 0 && (vcpus = listVcpus(driver, vm, &count))) {
        if (maps) {
            memset(maps, 0, (size_t)length * (size_t)maxinfo);
        }
        for (filled = 0; filled < MIN(count, maxinfo); filled++) {
            fillVcpu(&vcpus[filled], &info[filled]);
            if (maps) {
                memcpy(VIR_GET_CPUMAP(maps, length, filled), vcpus[filled].cpumap.map,
                       MIN((size_t)length, vcpus[filled].cpumap.size));
            }
        }
        libxl_vcpuinfo_list_free(vcpus, count);
    }
    virDomainObjEndAPI(&vm);
    return filled;
}

static int
totalCpuStats(const StubdomDriver *driver, virDomainObj *vm, virTypedParameterPtr params, unsigned int nparams)
{
    StubdomXenDomain guest;
    StubdomXenDomain stubdomain = {.cpuTime = 0};

    if (nparams == 0) {
        return stubdomDomainCheckActive(vm) < 0 ? -1 : 2;
    }
    if (stubdomXenDomainNeed(driver, vm, &guest) < 0 || stubdomXenDomainGetStubdomain(driver, vm, &stubdomain) < 0 ||
        virTypedParameterAssign(&params[0], VIR_DOMAIN_CPU_STATS_CPUTIME, VIR_TYPED_PARAM_ULLONG, guest.cpuTime) < 0 ||
        (nparams > 1 &&
         virTypedParameterAssign(&params[1], STUBDOM_CPU_TIME, VIR_TYPED_PARAM_ULLONG, stubdomain.cpuTime) < 0)) {
        return -1;
    }
    return (int)MIN(nparams, 2);
}

/* Xen counts by vCPU and not by processor of the host; the stock driver gives these numbers, too. */
static int
eachCpuStats(const StubdomDriver *driver, const virDomainObj *vm, virTypedParameterPtr params, unsigned int nparams,
             int first, unsigned int ncpus)
{
    int count = 0;
    int result = 1;
    libxl_vcpuinfo *vcpus = listVcpus(driver, vm, &count);

    if (!vcpus) {
        return -1;
    }
    if (first >= count) {
        virReportError(VIR_ERR_INVALID_ARG, _("the domain '%s' has %d vCPUs, and none with the number %d"),
                       vm->def->name, count, first);
        result = -1;
    } else if (nparams == 0 && ncpus == 0) {
        result = count;
    }
    for (int i = first; i < count && nparams && (unsigned int)(i - first) < ncpus && result == 1; i++) {
        if (virTypedParameterAssign(&params[(size_t)(i - first) * nparams], VIR_DOMAIN_CPU_STATS_CPUTIME,
                                    VIR_TYPED_PARAM_ULLONG, vcpus[i].vcpu_time) < 0) {
            result = -1;
        }
    }
    libxl_vcpuinfo_list_free(vcpus, count);
    return result;
}

int
stubdomDomainGetCPUStats(virDomainPtr dom, virTypedParameterPtr params, unsigned int nparams, int first,
                         unsigned int ncpus, unsigned int flags)
{
    const StubdomDriver *driver = dom->conn->privateData;
    virDomainObj *vm = NULL;
    int result = -1;

    virCheckFlags(VIR_TYPED_PARAM_STRING_OKAY, -1);
    if (!(vm = stubdomDomainFind(dom))) {
        return -1;
    }
    if (virDomainGetCPUStatsEnsureACL(dom->conn, vm->def) == 0) {
        result = first < 0 ? totalCpuStats(driver, vm, params, nparams)
                           : eachCpuStats(driver, vm, params, nparams, first, ncpus);
    }
    virDomainObjEndAPI(&vm);
    return result;
}
