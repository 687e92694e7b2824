/*
 * Statistics of one disk or network card
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The guest's and the stubdomain's share together (stubdom_backend.h).
 */

#include "stubdom_compat.h"

#include "stubdom_device_stats.h"

#include "viraccessapicheck.h"
#include "virtypedparam.h"

#include "stubdom_backend.h"
#include "stubdom_list.h"
#include "stubdom_method.h"
#include "stubdom_storage.h"

static int
unavailable(const char *name)
{
    virReportError(VIR_ERR_OPERATION_INVALID, _("dom0's kernel counts nothing for '%s': it has no backend here"), name);
    return -1;
}

static virDomainDiskDef *
findDisk(virDomainDef *def, const char *path)
{
    virDomainDiskDef *disk = virDomainDiskByName(def, path, false);

    if (!disk) {
        virReportError(VIR_ERR_INVALID_ARG, _("the domain '%s' has no disk '%s'"), def->name, path);
    }
    return disk;
}

/* An empty @path stands for all disks, as the API has it. */
static int
sumDisks(const StubdomDriver *driver, virDomainObj *vm, const char *path, StubdomDiskCounters *sum)
{
    g_auto(StubdomBackends) backends = {.ndisks = 0};
    bool runs = stubdomBackendsOpen(&backends, driver, vm);
    const virDomainDiskDef *disk = *path ? findDisk(vm->def, path) : NULL;

    if (stubdomDomainCheckActive(vm) < 0 || (*path && !disk)) {
        return -1;
    }
    if (disk) {
        return runs && stubdomBackendsDisk(&backends, disk, sum, NULL) ? 0 : unavailable(path);
    }
    for (size_t i = 0; i < vm->def->ndisks && runs; i++) {
        stubdomBackendsDisk(&backends, vm->def->disks[i], sum, NULL);
    }
    return 0;
}

int
stubdomDomainBlockStats(virDomainPtr dom, const char *path, virDomainBlockStatsPtr stats)
{
    const StubdomDriver *driver = dom->conn->privateData;
    virDomainObj *vm = stubdomDomainFind(dom);
    StubdomDiskCounters sum = {.readRequests = 0};
    int result = -1;

    if (vm && virDomainBlockStatsEnsureACL(dom->conn, vm->def) == 0 && sumDisks(driver, vm, path, &sum) == 0) {
        stats->rd_req = (long long)sum.readRequests;
        stats->rd_bytes = (long long)sum.readBytes;
        stats->wr_req = (long long)sum.writeRequests;
        stats->wr_bytes = (long long)sum.writeBytes;
        stats->errs = (long long)sum.delayed; /* Xen's, as libvirt-domain.h says */
        result = 0;
    }
    virDomainObjEndAPI(&vm);
    return result;
}

int
stubdomDomainBlockStatsFlags(virDomainPtr dom, const char *path, virTypedParameterPtr params, int *nparams,
                             unsigned int flags)
{
    static const char *const names[] = {
        VIR_DOMAIN_BLOCK_STATS_READ_REQ,    VIR_DOMAIN_BLOCK_STATS_READ_BYTES, VIR_DOMAIN_BLOCK_STATS_WRITE_REQ,
        VIR_DOMAIN_BLOCK_STATS_WRITE_BYTES, VIR_DOMAIN_BLOCK_STATS_FLUSH_REQ,  VIR_DOMAIN_BLOCK_STATS_ERRS,
    };
    const StubdomDriver *driver = dom->conn->privateData;
    virDomainObj *vm = NULL;
    StubdomDiskCounters sum = {.readRequests = 0};
    int result = -1;

    virCheckFlags(VIR_TYPED_PARAM_STRING_OKAY, -1);
    if (!(vm = stubdomDomainFind(dom))) {
        return -1;
    }
    if (virDomainBlockStatsFlagsEnsureACL(dom->conn, vm->def) == 0 && sumDisks(driver, vm, path, &sum) == 0) {
        const unsigned long long values[G_N_ELEMENTS(names)] = {sum.readRequests, sum.readBytes,     sum.writeRequests,
                                                                sum.writeBytes,   sum.flushRequests, sum.delayed};
        int count = *nparams ? MIN(*nparams, (int)G_N_ELEMENTS(names)) : 0;

        result = 0;
        *nparams = *nparams ? count : (int)G_N_ELEMENTS(names);
        for (int i = 0; i < count && result == 0; i++) {
            result = virTypedParameterAssign(&params[i], names[i], VIR_TYPED_PARAM_LLONG, (long long)values[i]);
        }
    }
    virDomainObjEndAPI(&vm);
    return result;
}

int
stubdomDomainGetBlockInfo(virDomainPtr dom, const char *path, virDomainBlockInfoPtr info, unsigned int flags)
{
    virDomainObj *vm = NULL;
    g_autoptr(virStorageSource) source = NULL;

    virCheckFlags(0, -1);
    if (!(vm = stubdomDomainFind(dom))) {
        return -1;
    }
    if (virDomainGetBlockInfoEnsureACL(dom->conn, vm->def) == 0) {
        const virDomainDiskDef *disk = findDisk(vm->def, path);

        if (disk && virStorageSourceIsEmpty(disk->src)) {
            virReportError(VIR_ERR_INVALID_ARG, _("there is no medium in the disk '%s'"), path);
        } else if (disk) {
            source = virObjectRef(disk->src);
        }
    }
    virDomainObjEndAPI(&vm);
    return source ? stubdomStorageInfo(source, info) : -1;
}

int
stubdomDomainInterfaceStats(virDomainPtr dom, const char *device, virDomainInterfaceStatsPtr stats)
{
    const StubdomDriver *driver = dom->conn->privateData;
    virDomainObj *vm = stubdomDomainFind(dom);
    const virDomainNetDef *net = NULL;
    g_auto(StubdomBackends) backends = {.ndisks = 0};
    StubdomNicCounters received = {.bytes = 0};
    StubdomNicCounters sent = {.bytes = 0};
    int result = -1;

    if (vm && virDomainInterfaceStatsEnsureACL(dom->conn, vm->def) == 0 && stubdomDomainCheckActive(vm) == 0 &&
        (net = virDomainNetFind(vm->def, device))) {
        if (stubdomBackendsOpen(&backends, driver, vm) && stubdomBackendsNic(&backends, net, &received, &sent)) {
            stats->rx_bytes = (long long)received.bytes;
            stats->rx_packets = (long long)received.packets;
            stats->rx_errs = (long long)received.errors;
            stats->rx_drop = (long long)received.dropped;
            stats->tx_bytes = (long long)sent.bytes;
            stats->tx_packets = (long long)sent.packets;
            stats->tx_errs = (long long)sent.errors;
            stats->tx_drop = (long long)sent.dropped;
            result = 0;
        } else {
            unavailable(device);
        }
    }
    virDomainObjEndAPI(&vm);
    return result;
}
