/*
 * The host
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What Xen has, not what Linux sees: dom0 is a domain with processors and
 * memory of its own, and /proc speaks of those. Without Xen the values are
 * Linux's, so that domains can be prepared elsewhere.
 */

#include "stubdom_compat.h"

#include "stubdom_node.h"

#include "capabilities.h"
#include "viraccessapicheck.h"
#include "virbitmap.h"
#include "virhostcpu.h"
#include "virhostmem.h"
#include "virnuma.h"
#include "virstring.h"
#include "virsysinfo.h"

#include "stubdom_capabilities.h"
#include "stubdom_conf.h"
#include "stubdom_domaincaps.h"
#include "stubdom_processors.h"

#define BYTES_PER_PAGE 4096ULL
#define BYTES_PER_KIB 1024ULL

static int
getPhysinfo(const StubdomDriver *driver, libxl_physinfo *info)
{
    int rc = libxl_get_physinfo(driver->libxl->ctx, info);

    if (rc != 0) {
        stubdomLibxlError(driver->libxl, rc, _("Xen does not tell about the host"));
        return -1;
    }
    return 0;
}

int
stubdomNodeGetInfo(virConnectPtr conn, virNodeInfoPtr info)
{
    const StubdomDriver *driver = conn->privateData;
    libxl_physinfo host;
    int result = -1;

    if (virNodeGetInfoEnsureACL(conn) < 0) {
        return -1;
    }
    if (!driver->libxl) {
        return virCapabilitiesGetNodeInfo(info);
    }
    memset(info, 0, sizeof(*info));
    libxl_physinfo_init(&host);
    if (virStrcpyStatic(info->model, virArchToString(driver->caps->host.arch)) == 0 &&
        getPhysinfo(driver, &host) == 0) {
        info->memory = (unsigned long)(host.total_pages * (BYTES_PER_PAGE / BYTES_PER_KIB));
        info->cpus = host.nr_cpus;
        info->mhz = host.cpu_khz / 1000;
        stubdomCapabilitiesTopology(&host, info);
        result = 0;
    }
    libxl_physinfo_dispose(&host);
    return result;
}

int
stubdomNodeGetCPUMap(virConnectPtr conn, unsigned char **map, unsigned int *online, unsigned int flags)
{
    const StubdomDriver *driver = conn->privateData;
    g_autoptr(virBitmap) processors = NULL;
    libxl_cputopology *topology = NULL;
    int count = 0;
    int length = 0;

    virCheckFlags(0, -1);
    if (virNodeGetCPUMapEnsureACL(conn) < 0) {
        return -1;
    }
    if (!driver->libxl) {
        return virHostCPUGetMap(map, online, flags);
    }
    if (!(topology = libxl_get_cpu_topology(driver->libxl->ctx, &count)) || count <= 0) {
        stubdomLibxlError(driver->libxl, ERROR_FAIL, _("Xen does not tell about the host's processors"));
        return -1;
    }
    processors = virBitmapNew((size_t)count);
    for (int i = 0; i < count; i++) {
        if (topology[i].core != LIBXL_CPUTOPOLOGY_INVALID_ENTRY) {
            ignore_value(virBitmapSetBit(processors, (size_t)i));
        }
    }
    libxl_cputopology_list_free(topology, count);
    if (map && virBitmapToData(processors, map, &length) < 0) {
        return -1;
    }
    if (online) {
        *online = (unsigned int)virBitmapCountBits(processors);
    }
    return count;
}

int
stubdomNodeGetCPUStats(virConnectPtr conn, int cpu, virNodeCPUStatsPtr params, int *count, unsigned int flags)
{
    const StubdomDriver *driver = conn->privateData;

    virCheckFlags(0, -1);
    if (virNodeGetCPUStatsEnsureACL(conn) < 0) {
        return -1;
    }
    return driver->libxl ? stubdomProcessorsStats(driver, cpu, params, count)
                         : virHostCPUGetStats(cpu, params, count, flags);
}

unsigned long long
stubdomNodeGetFreeMemory(virConnectPtr conn)
{
    const StubdomDriver *driver = conn->privateData;
    unsigned long long memory = 0;
    libxl_physinfo host;

    if (virNodeGetFreeMemoryEnsureACL(conn) < 0) {
        return 0;
    }
    if (!driver->libxl) {
        return virHostMemGetInfo(NULL, &memory) < 0 ? 0 : memory;
    }
    libxl_physinfo_init(&host);
    if (getPhysinfo(driver, &host) == 0) {
        memory = host.free_pages * BYTES_PER_PAGE;
    }
    libxl_physinfo_dispose(&host);
    return memory;
}

static libxl_numainfo *
getNumainfo(const StubdomDriver *driver, int *count)
{
    libxl_numainfo *cells = libxl_get_numainfo(driver->libxl->ctx, count);

    if (!cells) {
        stubdomLibxlError(driver->libxl, ERROR_FAIL, _("Xen does not tell about the host's NUMA nodes"));
    }
    return cells;
}

static bool
isCell(const libxl_numainfo *cells, int count, int number)
{
    if (number < 0 || number >= count || cells[number].size == LIBXL_NUMAINFO_INVALID_ENTRY) {
        virReportError(VIR_ERR_INVALID_ARG, _("there is no NUMA node %d"), number);
        return false;
    }
    return true;
}

int
stubdomNodeGetCellsFreeMemory(virConnectPtr conn, unsigned long long *memory, int first, int count)
{
    const StubdomDriver *driver = conn->privateData;
    libxl_numainfo *cells = NULL;
    int found = 0;
    int filled = 0;

    if (virNodeGetCellsFreeMemoryEnsureACL(conn) < 0) {
        return -1;
    }
    if (!driver->libxl) {
        return virHostMemGetCellsFree(memory, first, count);
    }
    if (!(cells = getNumainfo(driver, &found))) {
        return -1;
    }
    if (!isCell(cells, found, first)) {
        filled = -1;
    }
    for (int i = first; filled >= 0 && i < found && filled < count; i++) {
        memory[filled++] = cells[i].size == LIBXL_NUMAINFO_INVALID_ENTRY ? 0 : cells[i].free;
    }
    libxl_numainfo_list_free(cells, found);
    return filled;
}

/* Xen gives memory away in pages of one size; larger ones are a matter of luck. */
int
stubdomNodeGetFreePages(virConnectPtr conn, unsigned int npages, unsigned int *pages, int first, unsigned int count,
                        unsigned long long *counts, unsigned int flags)
{
    const StubdomDriver *driver = conn->privateData;
    libxl_numainfo *cells = NULL;
    int found = 0;
    int filled = 0;

    virCheckFlags(0, -1);
    if (virNodeGetFreePagesEnsureACL(conn) < 0) {
        return -1;
    }
    if (!driver->libxl) {
        return virHostMemGetFreePages(npages, pages, first, count, virNumaGetMaxNode(), counts);
    }
    if (!(cells = getNumainfo(driver, &found))) {
        return -1;
    }
    if (!isCell(cells, found, first)) {
        filled = -1;
    }
    for (int i = first; filled >= 0 && i < found && (unsigned int)(i - first) < count; i++) {
        for (unsigned int j = 0; j < npages; j++) {
            bool known = pages[j] == BYTES_PER_PAGE / BYTES_PER_KIB && cells[i].size != LIBXL_NUMAINFO_INVALID_ENTRY;

            counts[filled++] = known ? cells[i].free / BYTES_PER_PAGE : 0;
        }
    }
    libxl_numainfo_list_free(cells, found);
    return filled;
}

static int
cellMemory(const StubdomDriver *driver, int cell, unsigned long long *total, unsigned long long *available)
{
    libxl_numainfo *cells = NULL;
    libxl_physinfo host;
    int found = 0;
    int result = -1;

    if (cell == VIR_NODE_MEMORY_STATS_ALL_CELLS) {
        libxl_physinfo_init(&host);
        if ((result = getPhysinfo(driver, &host)) == 0) {
            *total = host.total_pages * BYTES_PER_PAGE;
            *available = host.free_pages * BYTES_PER_PAGE;
        }
        libxl_physinfo_dispose(&host);
        return result;
    }
    if (!(cells = getNumainfo(driver, &found))) {
        return -1;
    }
    if (isCell(cells, found, cell)) {
        *total = cells[cell].size;
        *available = cells[cell].free;
        result = 0;
    }
    libxl_numainfo_list_free(cells, found);
    return result;
}

int
stubdomNodeGetMemoryStats(virConnectPtr conn, int cell, virNodeMemoryStatsPtr params, int *count, unsigned int flags)
{
    const StubdomDriver *driver = conn->privateData;
    static const char *const names[] = {VIR_NODE_MEMORY_STATS_TOTAL, VIR_NODE_MEMORY_STATS_FREE};
    unsigned long long total = 0;
    unsigned long long available = 0;

    virCheckFlags(0, -1);
    if (virNodeGetMemoryStatsEnsureACL(conn) < 0) {
        return -1;
    }
    if (!driver->libxl) {
        return virHostMemGetStats(cell, params, count, flags);
    }
    if (cellMemory(driver, cell, &total, &available) < 0) {
        return -1;
    }
    if (*count == 0) {
        *count = G_N_ELEMENTS(names);
        return 0;
    }
    for (int i = 0; i < MIN(*count, (int)G_N_ELEMENTS(names)); i++) {
        if (virStrcpyStatic(params[i].field, names[i]) < 0) {
            return -1;
        }
        params[i].value = (i == 0 ? total : available) / BYTES_PER_KIB;
    }
    return 0;
}

/* Xen's own labels (XSM) are no model libvirt knows. */
int
stubdomNodeGetSecurityModel(virConnectPtr conn, virSecurityModelPtr model)
{
    memset(model, 0, sizeof(*model));
    return virNodeGetSecurityModelEnsureACL(conn);
}

/* Runs dmidecode; nobody asks often enough for it to be kept. */
char *
stubdomConnectGetSysinfo(virConnectPtr conn, unsigned int flags)
{
    g_auto(virBuffer) buffer = VIR_BUFFER_INITIALIZER;
    g_autoptr(virSysinfoDef) info = NULL;

    virCheckFlags(0, NULL);
    if (virConnectGetSysinfoEnsureACL(conn) < 0) {
        return NULL;
    }
    if (!(info = virSysinfoRead())) {
        virReportError(VIR_ERR_CONFIG_UNSUPPORTED, _("the host's SMBIOS cannot be read: %s"), virGetLastErrorMessage());
        return NULL;
    }
    return virSysinfoFormat(&buffer, info) < 0 ? NULL : virBufferContentAndReset(&buffer);
}

int
stubdomConnectGetMaxVcpus(virConnectPtr conn, const char *type)
{
    if (virConnectGetMaxVcpusEnsureACL(conn) < 0) {
        return -1;
    }
    if (type && STRCASENEQ(type, virDomainVirtTypeToString(VIR_DOMAIN_VIRT_XEN))) {
        virReportError(VIR_ERR_INVALID_ARG, _("there is no type '%s' of domains; there is 'xen'"), type);
        return -1;
    }
    return STUBDOM_VCPUS_MAX;
}
