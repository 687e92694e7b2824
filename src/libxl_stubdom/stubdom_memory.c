/*
 * A domain's memory
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The guest's. Its balloon driver gives pages back and takes them; without one
 * it keeps what it has, and Xen only sees to it that it gets no more. What the
 * stubdomain has is fixed by its definition.
 */

#include "stubdom_compat.h"

#include "stubdom_memory.h"

#include <libxl_utils.h>

#include "domain_event.h"
#include "viraccessapicheck.h"
#include "virtypedparam.h"

#include "stubdom_list.h"
#include "stubdom_method.h"
#include "stubdom_xendomain.h"

#define KIB_PER_MIB 1024

unsigned long long
stubdomDomainGetMaxMemory(virDomainPtr dom)
{
    virDomainObj *vm = stubdomDomainFind(dom);
    unsigned long long memory = 0;

    if (vm && virDomainGetMaxMemoryEnsureACL(dom->conn, vm->def) == 0) {
        memory = virDomainDefGetMemoryTotal(vm->def);
    }
    virDomainObjEndAPI(&vm);
    return memory;
}

/* --- change ------------------------------------------------------------------------ */

/* Unlocks. */
static int
setInXen(const StubdomDriver *driver, virDomainObj *vm, unsigned long memory, bool maximum)
{
    StubdomLibxl *libxl;
    uint32_t domid = 0;
    int rc;

    if (!stubdomDomid(vm, &domid)) {
        virReportError(VIR_ERR_OPERATION_INVALID, _("the domain '%s' is still being started"), vm->def->name);
        return -1;
    }
    if (!(libxl = stubdomDomainEnter(driver, vm))) {
        return -1;
    }
    rc = maximum ? libxl_domain_setmaxmem(libxl->ctx, domid, memory)
                 : libxl_set_memory_target(libxl->ctx, domid, (int64_t)memory, 0, 1);
    if (rc != 0) {
        stubdomLibxlError(libxl, rc, _("the domain's memory cannot be changed"));
    }
    stubdomDomainLeave(vm, libxl);
    return rc == 0 ? stubdomDomainCheckActive(vm) : -1;
}

int
stubdomMemoryApply(StubdomDriver *driver, virDomainObj *vm)
{
    unsigned long long memory = VIR_ROUND_UP(vm->def->mem.cur_balloon, KIB_PER_MIB);

    if (!stubdomPrivate(vm)->passthrough || memory >= virDomainDefGetMemoryTotal(vm->def)) {
        return 0;
    }
    return setInXen(driver, vm, (unsigned long)memory, false);
}

static void
setInDefinition(virDomainDef *def, unsigned long memory, bool maximum)
{
    if (maximum) {
        virDomainDefSetMemoryTotal(def, memory);
    }
    if (!maximum || def->mem.cur_balloon > memory) {
        def->mem.cur_balloon = memory;
    }
}

static int
checkNew(const virDomainDef *def, unsigned long memory, bool maximum, bool live)
{
    if (!maximum && memory > virDomainDefGetMemoryTotal(def)) {
        virReportError(VIR_ERR_INVALID_ARG, _("%lu KiB are more than the domain's maximum, which is %llu KiB"), memory,
                       virDomainDefGetMemoryTotal(def));
        return -1;
    }
    if (maximum && live && memory < def->mem.cur_balloon) {
        virReportError(VIR_ERR_INVALID_ARG,
                       _("%lu KiB are less than the running domain has, which is %llu KiB; set that first"), memory,
                       def->mem.cur_balloon);
        return -1;
    }
    return 0;
}

/* With a job. Returns an event to be queued in @event. */
static int
setMemory(StubdomDriver *driver, virDomainObj *vm, unsigned long memory, unsigned int flags, virObjectEvent **event)
{
    bool maximum = flags & VIR_DOMAIN_MEM_MAXIMUM;
    virDomainDef *live = NULL;
    virDomainDef *config = NULL;

    if (virDomainObjGetDefs(vm, flags & (VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG), &live, &config) < 0 ||
        (live && checkNew(live, memory, maximum, true) < 0) ||
        (config && checkNew(config, memory, maximum, false) < 0) ||
        (live && setInXen(driver, vm, memory, maximum) < 0)) {
        return -1;
    }
    if (live) {
        setInDefinition(live, memory, maximum);
        stubdomDomainSaveStatus(driver, vm);
        *event = maximum ? NULL : virDomainEventBalloonChangeNewFromObj(vm, memory);
    }
    if (config) {
        setInDefinition(config, memory, maximum);
    }
    return stubdomDomainSave(driver, vm, false, config != NULL);
}

int
stubdomDomainSetMemoryFlags(virDomainPtr dom, unsigned long memory, unsigned int flags)
{
    StubdomDriver *driver = dom->conn->privateData;
    unsigned long rounded = VIR_ROUND_UP(memory, KIB_PER_MIB);
    virObjectEvent *event = NULL;
    virDomainObj *vm = NULL;
    int result = -1;

    virCheckFlags(VIR_DOMAIN_MEM_LIVE | VIR_DOMAIN_MEM_CONFIG | VIR_DOMAIN_MEM_MAXIMUM, -1);
    if (!(vm = stubdomDomainFind(dom))) {
        return -1;
    }
    if (virDomainSetMemoryFlagsEnsureACL(dom->conn, vm->def, flags) == 0 &&
        stubdomDomainBeginJob(vm, VIR_JOB_MODIFY, false) == 0) {
        result = setMemory(driver, vm, rounded, flags, &event);
        virDomainObjEndJob(vm);
    }
    virDomainObjEndAPI(&vm);
    virObjectEventStateQueue(driver->events, event);
    return result;
}

/* What they affect is older than the flags: the running domain, and its definition if it does not run. */
int
stubdomDomainSetMemory(virDomainPtr dom, unsigned long memory)
{
    return stubdomDomainSetMemoryFlags(dom, memory, VIR_DOMAIN_AFFECT_LIVE);
}

int
stubdomDomainSetMaxMemory(virDomainPtr dom, unsigned long memory)
{
    return stubdomDomainSetMemoryFlags(dom, memory, VIR_DOMAIN_MEM_MAXIMUM);
}

/* --- questions ------------------------------------------------------------------------ */

int
stubdomDomainMemoryStats(virDomainPtr dom, virDomainMemoryStatPtr stats, unsigned int count, unsigned int flags)
{
    const StubdomDriver *driver = dom->conn->privateData;
    virDomainObj *vm = NULL;
    StubdomXenDomain guest;
    int filled = -1;

    virCheckFlags(0, -1);
    if (!(vm = stubdomDomainFind(dom))) {
        return -1;
    }
    if (virDomainMemoryStatsEnsureACL(dom->conn, vm->def) == 0 && stubdomXenDomainNeed(driver, vm, &guest) == 0) {
        const virDomainMemoryStatStruct values[] = {
            {.tag = VIR_DOMAIN_MEMORY_STAT_ACTUAL_BALLOON, .val = vm->def->mem.cur_balloon},
            {.tag = VIR_DOMAIN_MEMORY_STAT_RSS, .val = guest.memory},
        };

        filled = (int)MIN(count, G_N_ELEMENTS(values));
        memcpy(stats, values, sizeof(*stats) * (size_t)filled);
    }
    virDomainObjEndAPI(&vm);
    return filled;
}

static char *
nodesOf(const StubdomDriver *driver, uint32_t domid)
{
    g_autoptr(virBitmap) nodes = virBitmapNew(0);
    libxl_bitmap found;
    int rc;

    libxl_bitmap_init(&found);
    if ((rc = libxl_node_bitmap_alloc(driver->libxl->ctx, &found, 0)) == 0 &&
        (rc = libxl_domain_get_nodeaffinity(driver->libxl->ctx, domid, &found)) == 0) {
        unsigned int node;

        libxl_for_each_set_bit(node, found)
        {
            virBitmapSetBitExpand(nodes, (size_t)node);
        }
    } else {
        stubdomLibxlError(driver->libxl, rc, _("Xen does not tell about the domain's NUMA nodes"));
    }
    libxl_bitmap_dispose(&found);
    return rc == 0 ? virBitmapFormat(nodes) : NULL;
}

/* Where Xen takes the memory from; there is no setting for it in a definition. */
int
stubdomDomainGetNumaParameters(virDomainPtr dom, virTypedParameterPtr params, int *nparams, unsigned int flags)
{
    const StubdomDriver *driver = dom->conn->privateData;
    virDomainObj *vm = NULL;
    StubdomXenDomain guest;
    g_autofree char *nodes = NULL;
    int result = -1;

    virCheckFlags(VIR_DOMAIN_AFFECT_LIVE | VIR_TYPED_PARAM_STRING_OKAY, -1);
    if (!(vm = stubdomDomainFind(dom))) {
        return -1;
    }
    if (virDomainGetNumaParametersEnsureACL(dom->conn, vm->def) == 0 && stubdomXenDomainNeed(driver, vm, &guest) == 0) {
        if (*nparams == 0) {
            *nparams = 2;
            result = 0;
        } else if ((nodes = nodesOf(driver, guest.domid)) &&
                   virTypedParameterAssign(&params[0], VIR_DOMAIN_NUMA_MODE, VIR_TYPED_PARAM_INT,
                                           VIR_DOMAIN_NUMATUNE_MEM_PREFERRED) == 0) {
            result = *nparams > 1 ? virTypedParameterAssign(&params[1], VIR_DOMAIN_NUMA_NODESET, VIR_TYPED_PARAM_STRING,
                                                            g_steal_pointer(&nodes))
                                  : 0;
            *nparams = MIN(*nparams, 2);
        }
    }
    virDomainObjEndAPI(&vm);
    return result;
}
