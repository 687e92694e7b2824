/*
 * What the driver offers
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * HVM guests of x86 only: a PV or PVH guest has no device model that could be
 * put into a stubdomain. The host's processors and memory are Xen's; libvirt
 * looks at the CPU's identification itself. Nothing here may fail for good:
 * a host nobody has thought of would lose libvirtd.
 */

#include "stubdom_compat.h"

#include "stubdom_capabilities.h"

#include "cpu.h"
#include "viruuid.h"

VIR_LOG_INIT("stubdom.capabilities");

#define BYTES_PER_KIB 1024
#define PAGE_KIB 4U

static void
addGuest(virCaps *caps, virArch arch)
{
    static const char *const machines[] = {STUBDOM_MACHINE};
    virCapsGuest *guest =
        virCapabilitiesAddGuest(caps, VIR_DOMAIN_OSTYPE_HVM, arch, STUBDOM_DEVICE_MODEL, NULL, G_N_ELEMENTS(machines),
                                virCapabilitiesAllocMachines(machines, G_N_ELEMENTS(machines)));

    virCapabilitiesAddGuestDomain(guest, VIR_DOMAIN_VIRT_XEN, NULL, NULL, 0, NULL);
    virCapabilitiesAddGuestFeatureWithToggle(guest, VIR_CAPS_GUEST_FEATURE_TYPE_ACPI, true, true);
    virCapabilitiesAddGuestFeatureWithToggle(guest, VIR_CAPS_GUEST_FEATURE_TYPE_APIC, true, true);
    virCapabilitiesAddGuestFeatureWithToggle(guest, VIR_CAPS_GUEST_FEATURE_TYPE_HAP, true, true);
    virCapabilitiesAddGuestFeature(guest, VIR_CAPS_GUEST_FEATURE_TYPE_PAE);
}

void
stubdomCapabilitiesTopology(const libxl_physinfo *host, virNodeInfoPtr info)
{
    info->nodes = MAX(host->nr_nodes, 1);
    info->cores = MAX(host->cores_per_socket, 1);
    info->threads = MAX(host->threads_per_core, 1);
    info->sockets = MAX(host->nr_cpus / (info->nodes * info->cores * info->threads), 1);
    if (VIR_NODEINFO_MAXCPUS(*info) < host->nr_cpus) {
        info->nodes = info->sockets = info->threads = 1;
        info->cores = host->nr_cpus;
    }
}

/* libvirt has taken the topology of dom0's processors. */
static void
addHost(virCaps *caps, StubdomLibxl *libxl)
{
    virNodeInfo info = {.nodes = 0};
    libxl_physinfo host;

    libxl_physinfo_init(&host);
    if (libxl_get_physinfo(libxl->ctx, &host) == 0) {
        stubdomCapabilitiesTopology(&host, &info);
        caps->host.iommu = host.cap_hvm_directio;
        if (caps->host.cpu) {
            caps->host.cpu->sockets = info.sockets;
            caps->host.cpu->cores = info.cores;
            caps->host.cpu->threads = info.threads;
        }
    } else {
        VIR_WARN("Xen does not tell about the host");
    }
    libxl_physinfo_dispose(&host);
}

static bool
isCpuOf(const libxl_cputopology *cpu, size_t node)
{
    return cpu->core != LIBXL_CPUTOPOLOGY_INVALID_ENTRY && cpu->node == node;
}

static virBitmap *
siblingsOf(const libxl_cputopology *topology, int count, const libxl_cputopology *cpu)
{
    virBitmap *siblings = virBitmapNew((size_t)count);

    for (int i = 0; i < count; i++) {
        if (isCpuOf(&topology[i], cpu->node) && topology[i].socket == cpu->socket && topology[i].core == cpu->core) {
            ignore_value(virBitmapSetBit(siblings, (size_t)i));
        }
    }
    return siblings;
}

static void
addCell(virCapsHostNUMA *numa, const libxl_numainfo *cell, int node, const libxl_cputopology *topology, int count)
{
    g_autofree virCapsHostNUMACellCPU *cpus = g_new0(virCapsHostNUMACellCPU, count);
    g_autofree virNumaDistance *distances = g_new0(virNumaDistance, cell->num_dists);
    g_autofree virCapsHostNUMACellPageInfo *pages = g_new0(virCapsHostNUMACellPageInfo, 1);
    int used = 0;

    for (int i = 0; i < count; i++) {
        if (isCpuOf(&topology[i], (size_t)node)) {
            cpus[used++] = (virCapsHostNUMACellCPU){
                .id = (unsigned int)i,
                .socket_id = topology[i].socket,
                .core_id = topology[i].core,
                .siblings = siblingsOf(topology, count, &topology[i]),
            };
        }
    }
    for (int i = 0; i < cell->num_dists; i++) {
        distances[i].cellid = (unsigned int)i;
        distances[i].value = cell->dists[i];
    }
    pages->size = PAGE_KIB;
    pages->avail = cell->size / BYTES_PER_KIB / PAGE_KIB;
    virCapabilitiesHostNUMAAddCell(numa, node, cell->size / BYTES_PER_KIB, used, &cpus, cell->num_dists, &distances, 1,
                                   &pages, NULL);
}

static void
addCells(virCaps *caps, StubdomLibxl *libxl)
{
    int nodes = 0;
    int count = 0;
    libxl_numainfo *cells = libxl_get_numainfo(libxl->ctx, &nodes);
    libxl_cputopology *topology = libxl_get_cpu_topology(libxl->ctx, &count);

    if (cells && topology) {
        caps->host.numa = virCapabilitiesHostNUMANew();
        for (int i = 0; i < nodes; i++) {
            if (cells[i].size != LIBXL_NUMAINFO_INVALID_ENTRY) {
                addCell(caps->host.numa, &cells[i], i, topology, count);
            }
        }
    } else {
        VIR_WARN("Xen does not tell about the host's NUMA nodes");
    }
    libxl_cputopology_list_free(topology, topology ? count : 0);
    libxl_numainfo_list_free(cells, cells ? nodes : 0);
}

virCaps *
stubdomCapabilitiesNew(StubdomLibxl *libxl)
{
    g_autoptr(virCaps) caps = virCapabilitiesNew(virArchFromHost(), false, false);

    if (!caps) {
        return NULL;
    }
    if (!(caps->host.cpu = virCPUProbeHost(caps->host.arch))) {
        VIR_WARN("libvirt cannot name the host's CPU");
        virResetLastError();
    }
    if (virGetHostUUID(caps->host.host_uuid) < 0) {
        virResetLastError();
    }
    if (virCapabilitiesSetNetPrefix(caps, STUBDOM_NET_PREFIX) < 0) {
        return NULL;
    }
    if (libxl) {
        addHost(caps, libxl);
        addCells(caps, libxl);
    }
    addGuest(caps, VIR_ARCH_X86_64);
    addGuest(caps, VIR_ARCH_I686);
    return g_steal_pointer(&caps);
}
