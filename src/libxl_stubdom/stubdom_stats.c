/*
 * Statistics of domains
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What is libvirt's name for something is the guest's alone, so that programs
 * that know nothing of stubdomains count right. The stubdomain's share is
 * beside it, under names that begin with "stubdom.". Disks and network cards
 * are the exception: the sum is the guest's (stubdom_backend.h). What cannot be
 * had is left out, as the API wants it.
 */

#include "stubdom_compat.h"

#include "stubdom_stats.h"

#include "domain_conf.h"
#include "viraccessapicheck.h"
#include "virtypedparam.h"

#include "stubdom_backend.h"
#include "stubdom_list.h"
#include "stubdom_private.h"
#include "stubdom_storage.h"
#include "stubdom_xendomain.h"

/* A domain that is being asked about: what more than one group needs. */
typedef struct {
    const StubdomDriver *driver;
    virDomainObj *vm;
    StubdomXenDomain guest;
    StubdomXenDomain stubdomain;
    bool runs;          /* @guest is filled in */
    bool hasStubdomain; /* @stubdomain is */
    StubdomBackends backends;
    bool hasBackends;
} Subject;

typedef int (*GroupFunc)(const Subject *subject, virTypedParamList *params);

static int
addState(const Subject *subject, virTypedParamList *params)
{
    int reason = 0;
    int state = virDomainObjGetState(subject->vm, &reason);

    if (virTypedParamListAddInt(params, state, "state.state") < 0 ||
        virTypedParamListAddInt(params, reason, "state.reason") < 0) {
        return -1;
    }
    if (!subject->hasStubdomain) {
        return 0;
    }
    return virTypedParamListAddUInt(params, subject->stubdomain.domid, "stubdom.id") < 0 ||
                   virTypedParamListAddInt(params, subject->stubdomain.state, "stubdom.state") < 0
               ? -1
               : 0;
}

static int
addCpuTotal(const Subject *subject, virTypedParamList *params)
{
    if (subject->runs && virTypedParamListAddULLong(params, subject->guest.cpuTime, "cpu.time") < 0) {
        return -1;
    }
    return subject->hasStubdomain &&
                   virTypedParamListAddULLong(params, subject->stubdomain.cpuTime, "stubdom.cpu.time") < 0
               ? -1
               : 0;
}

static int
addBalloon(const Subject *subject, virTypedParamList *params)
{
    const virDomainDef *def = subject->vm->def;

    if (virTypedParamListAddULLong(params, def->mem.cur_balloon, "balloon.current") < 0 ||
        virTypedParamListAddULLong(params, virDomainDefGetMemoryTotal(def), "balloon.maximum") < 0 ||
        (subject->runs && virTypedParamListAddULLong(params, subject->guest.memory, "balloon.rss") < 0)) {
        return -1;
    }
    if (!subject->hasStubdomain) {
        return 0;
    }
    return virTypedParamListAddULLong(params, subject->stubdomain.memory, "stubdom.balloon.current") < 0 ||
                   virTypedParamListAddULLong(params, subject->stubdomain.memoryMax, "stubdom.balloon.maximum") < 0
               ? -1
               : 0;
}

static int
vcpuState(const libxl_vcpuinfo *vcpu)
{
    if (!vcpu->online) {
        return VIR_VCPU_OFFLINE;
    }
    return vcpu->blocked ? VIR_VCPU_BLOCKED : VIR_VCPU_RUNNING;
}

static int
addVcpuTimes(const Subject *subject, uint32_t domid, const char *prefix, virTypedParamList *params)
{
    int count = 0;
    int cpus = 0;
    int result = 0;
    libxl_vcpuinfo *vcpus = libxl_list_vcpu(subject->driver->libxl->ctx, domid, &count, &cpus);

    for (int i = 0; vcpus && i < count && result == 0; i++) {
        if (virTypedParamListAddInt(params, vcpuState(&vcpus[i]), "%s.%u.state", prefix, vcpus[i].vcpuid) < 0 ||
            virTypedParamListAddULLong(params, vcpus[i].vcpu_time, "%s.%u.time", prefix, vcpus[i].vcpuid) < 0) {
            result = -1;
        }
    }
    libxl_vcpuinfo_list_free(vcpus, vcpus ? count : 0);
    return result;
}

static int
addVcpu(const Subject *subject, virTypedParamList *params)
{
    const virDomainDef *def = subject->vm->def;

    if (virTypedParamListAddUInt(params, virDomainDefGetVcpus(def), "vcpu.current") < 0 ||
        virTypedParamListAddUInt(params, virDomainDefGetVcpusMax(def), "vcpu.maximum") < 0 ||
        (subject->runs && addVcpuTimes(subject, subject->guest.domid, "vcpu", params) < 0)) {
        return -1;
    }
    return subject->hasStubdomain ? addVcpuTimes(subject, subject->stubdomain.domid, "stubdom.vcpu", params) : 0;
}

static int
addNicCounters(virTypedParamList *params, size_t i, const char *direction, const StubdomNicCounters *counters)
{
    return virTypedParamListAddULLong(params, counters->bytes, "net.%zu.%s.bytes", i, direction) < 0 ||
                   virTypedParamListAddULLong(params, counters->packets, "net.%zu.%s.pkts", i, direction) < 0 ||
                   virTypedParamListAddULLong(params, counters->errors, "net.%zu.%s.errs", i, direction) < 0 ||
                   virTypedParamListAddULLong(params, counters->dropped, "net.%zu.%s.drop", i, direction) < 0
               ? -1
               : 0;
}

static int
addInterface(const Subject *subject, virTypedParamList *params)
{
    const virDomainDef *def = subject->vm->def;

    if (!subject->runs) {
        return 0;
    }
    if (virTypedParamListAddUInt(params, (unsigned int)def->nnets, "net.count") < 0) {
        return -1;
    }
    for (size_t i = 0; i < def->nnets; i++) {
        StubdomNicCounters received = {.bytes = 0};
        StubdomNicCounters sent = {.bytes = 0};

        if (def->nets[i]->ifname && virTypedParamListAddString(params, def->nets[i]->ifname, "net.%zu.name", i) < 0) {
            return -1;
        }
        if (subject->hasBackends && stubdomBackendsNic(&subject->backends, def->nets[i], &received, &sent) &&
            (addNicCounters(params, i, "rx", &received) < 0 || addNicCounters(params, i, "tx", &sent) < 0)) {
            return -1;
        }
    }
    return 0;
}

static int
addDiskCounters(virTypedParamList *params, const char *prefix, size_t i, const StubdomDiskCounters *counters)
{
    return virTypedParamListAddULLong(params, counters->readRequests, "%s.%zu.rd.reqs", prefix, i) < 0 ||
                   virTypedParamListAddULLong(params, counters->readBytes, "%s.%zu.rd.bytes", prefix, i) < 0 ||
                   virTypedParamListAddULLong(params, counters->writeRequests, "%s.%zu.wr.reqs", prefix, i) < 0 ||
                   virTypedParamListAddULLong(params, counters->writeBytes, "%s.%zu.wr.bytes", prefix, i) < 0 ||
                   virTypedParamListAddULLong(params, counters->flushRequests, "%s.%zu.fl.reqs", prefix, i) < 0
               ? -1
               : 0;
}

static int
addDisk(const Subject *subject, virTypedParamList *params, size_t i)
{
    const virDomainDiskDef *disk = subject->vm->def->disks[i];
    const char *path = virDomainDiskGetSource(disk);
    StubdomDiskCounters sum = {.readRequests = 0};
    StubdomDiskCounters stubdomain = {.readRequests = 0};

    if (virTypedParamListAddString(params, disk->dst, "block.%zu.name", i) < 0 ||
        (path && virTypedParamListAddString(params, path, "block.%zu.path", i) < 0)) {
        return -1;
    }
    if (!subject->hasBackends || !stubdomBackendsDisk(&subject->backends, disk, &sum, &stubdomain)) {
        return 0;
    }
    return addDiskCounters(params, "block", i, &sum) < 0 ||
                   virTypedParamListAddULLong(params, sum.delayed, "block.%zu.errors", i) < 0 ||
                   addDiskCounters(params, "stubdom.block", i, &stubdomain) < 0
               ? -1
               : 0;
}

static int
addBlock(const Subject *subject, virTypedParamList *params)
{
    const virDomainDef *def = subject->vm->def;

    if (virTypedParamListAddUInt(params, (unsigned int)def->ndisks, "block.count") < 0) {
        return -1;
    }
    for (size_t i = 0; i < def->ndisks; i++) {
        if (addDisk(subject, params, i) < 0) {
            return -1;
        }
    }
    return 0;
}

static const struct {
    unsigned int group;
    GroupFunc func;
} groups[] = {
    {VIR_DOMAIN_STATS_STATE, addState},         {VIR_DOMAIN_STATS_CPU_TOTAL, addCpuTotal},
    {VIR_DOMAIN_STATS_BALLOON, addBalloon},     {VIR_DOMAIN_STATS_VCPU, addVcpu},
    {VIR_DOMAIN_STATS_INTERFACE, addInterface}, {VIR_DOMAIN_STATS_BLOCK, addBlock},
};

#define SUPPORTED                                                                                                      \
    (VIR_DOMAIN_STATS_STATE | VIR_DOMAIN_STATS_CPU_TOTAL | VIR_DOMAIN_STATS_BALLOON | VIR_DOMAIN_STATS_VCPU |          \
     VIR_DOMAIN_STATS_INTERFACE | VIR_DOMAIN_STATS_BLOCK)

#define FILTERS                                                                                                        \
    (VIR_CONNECT_LIST_DOMAINS_FILTERS_ACTIVE | VIR_CONNECT_LIST_DOMAINS_FILTERS_PERSISTENT |                           \
     VIR_CONNECT_LIST_DOMAINS_FILTERS_STATE)

/* A domain Xen cannot be asked about has fewer values. */
static int
addGroups(Subject *subject, unsigned int stats, virTypedParamList *params)
{
    int result = 0;

    subject->runs = stubdomXenDomainGet(subject->driver, subject->vm, &subject->guest) == 1;
    subject->hasStubdomain = stubdomXenDomainGetStubdomain(subject->driver, subject->vm, &subject->stubdomain) == 1;
    if (stats & (VIR_DOMAIN_STATS_INTERFACE | VIR_DOMAIN_STATS_BLOCK)) {
        subject->hasBackends = stubdomBackendsOpen(&subject->backends, subject->driver, subject->vm);
    }
    virResetLastError();
    for (size_t i = 0; i < G_N_ELEMENTS(groups) && result == 0; i++) {
        if (stats & groups[i].group) {
            result = groups[i].func(subject, params);
        }
    }
    stubdomBackendsClose(&subject->backends);
    return result;
}

/* Of the definition, which may change once the domain is unlocked. */
static GPtrArray *
listSources(const virDomainDef *def)
{
    GPtrArray *sources = g_ptr_array_new_full((guint)def->ndisks, g_object_unref);

    for (size_t i = 0; i < def->ndisks; i++) {
        g_ptr_array_add(sources, g_object_ref(def->disks[i]->src));
    }
    return sources;
}

/* Without the lock: a file system may take its time. */
static int
addSizes(const GPtrArray *sources, virTypedParamList *params)
{
    for (guint i = 0; i < sources->len; i++) {
        virDomainBlockInfo size;

        if (virStorageSourceIsEmpty(sources->pdata[i]) || stubdomStorageInfo(sources->pdata[i], &size) < 0) {
            virResetLastError();
            continue;
        }
        if (virTypedParamListAddULLong(params, size.allocation, "block.%u.allocation", i) < 0 ||
            virTypedParamListAddULLong(params, size.capacity, "block.%u.capacity", i) < 0 ||
            virTypedParamListAddULLong(params, size.physical, "block.%u.physical", i) < 0) {
            return -1;
        }
    }
    return 0;
}

static virDomainStatsRecordPtr
newRecord(virConnectPtr conn, virDomainObj *vm, unsigned int stats, bool wait)
{
    Subject subject = {.driver = conn->privateData, .vm = vm};
    g_autoptr(virTypedParamList) params = virTypedParamListNew();
    g_autofree virDomainStatsRecordPtr record = g_new0(virDomainStatsRecord, 1);
    g_autoptr(GPtrArray) sources = NULL;
    int result;

    virObjectLock(vm);
    result = addGroups(&subject, stats, params);
    sources = listSources(vm->def);
    record->dom = virGetDomain(conn, vm->def->name, vm->def->uuid, vm->def->id);
    virObjectUnlock(vm);
    if (result < 0 || !record->dom || (wait && (stats & VIR_DOMAIN_STATS_BLOCK) && addSizes(sources, params) < 0)) {
        virObjectUnref(record->dom);
        return NULL;
    }
    record->nparams = (int)virTypedParamListStealParams(params, &record->params);
    return g_steal_pointer(&record);
}

int
stubdomConnectGetAllDomainStats(virConnectPtr conn, virDomainPtr *doms, unsigned int ndoms, unsigned int stats,
                                virDomainStatsRecordPtr **records, unsigned int flags)
{
    StubdomDriver *driver = conn->privateData;
    g_autofree virDomainStatsRecordPtr *found = NULL;
    virDomainObj **vms = NULL;
    size_t nvms = 0;
    int count = 0;

    virCheckFlags(FILTERS | VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT | VIR_CONNECT_GET_ALL_DOMAINS_STATS_BACKING |
                      VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS,
                  -1);
    if (virConnectGetAllDomainStatsEnsureACL(conn) < 0) {
        return -1;
    }
    if ((flags & VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS) && (stats & ~SUPPORTED)) {
        virReportError(VIR_ERR_ARGUMENT_UNSUPPORTED, _("the groups 0x%x of statistics are not supported"),
                       stats & ~SUPPORTED);
        return -1;
    }
    if (!ndoms) {
        virDomainObjListCollect(driver->domains, conn, &vms, &nvms, virConnectGetAllDomainStatsCheckACL,
                                flags & FILTERS);
    } else if (virDomainObjListConvert(driver->domains, conn, doms, ndoms, &vms, &nvms,
                                       virConnectGetAllDomainStatsCheckACL, flags & FILTERS, true) < 0) {
        return -1;
    }
    found = g_new0(virDomainStatsRecordPtr, nvms + 1);
    for (size_t i = 0; i < nvms; i++) {
        found[count] =
            newRecord(conn, vms[i], stats ? stats : SUPPORTED, !(flags & VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT));
        count += found[count] ? 1 : 0;
    }
    virObjectListFreeCount(vms, nvms);
    *records = g_steal_pointer(&found);
    return count;
}
