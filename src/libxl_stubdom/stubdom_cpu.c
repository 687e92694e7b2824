/*
 * Comparing CPUs
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Glue: libvirt's table of CPU models does the work. A guest has the host's
 * CPU, so there is no hypervisor's view of them to compare with.
 */

#include "stubdom_compat.h"

#include "stubdom_cpu.h"

#include "cpu.h"
#include "viraccessapicheck.h"

#include "stubdom_conf.h"

int
stubdomConnectGetCPUModelNames(virConnectPtr conn, const char *arch, char ***models, unsigned int flags)
{
    virArch known = virArchFromString(arch);

    virCheckFlags(0, -1);
    if (virConnectGetCPUModelNamesEnsureACL(conn) < 0) {
        return -1;
    }
    if (known == VIR_ARCH_NONE) {
        virReportError(VIR_ERR_INVALID_ARG, _("there is no architecture '%s'"), arch);
        return -1;
    }
    return virCPUGetModels(known, models);
}

int
stubdomConnectCompareCPU(virConnectPtr conn, const char *xml, unsigned int flags)
{
    const StubdomDriver *driver = conn->privateData;

    virCheckFlags(VIR_CONNECT_COMPARE_CPU_FAIL_INCOMPATIBLE | VIR_CONNECT_COMPARE_CPU_VALIDATE_XML,
                  VIR_CPU_COMPARE_ERROR);
    if (virConnectCompareCPUEnsureACL(conn) < 0) {
        return VIR_CPU_COMPARE_ERROR;
    }
    return virCPUCompareXML(driver->caps->host.arch, driver->caps->host.cpu, xml,
                            flags & VIR_CONNECT_COMPARE_CPU_FAIL_INCOMPATIBLE,
                            flags & VIR_CONNECT_COMPARE_CPU_VALIDATE_XML);
}

char *
stubdomConnectBaselineCPU(virConnectPtr conn, const char **xml, unsigned int count, unsigned int flags)
{
    g_autoptr(virCPUDef) cpu = NULL;
    virCPUDef **cpus = NULL;
    char *text = NULL;

    virCheckFlags(VIR_CONNECT_BASELINE_CPU_EXPAND_FEATURES | VIR_CONNECT_BASELINE_CPU_MIGRATABLE, NULL);
    if (virConnectBaselineCPUEnsureACL(conn) < 0 || !(cpus = virCPUDefListParse(xml, count, VIR_CPU_TYPE_HOST))) {
        return NULL;
    }
    cpu = virCPUBaseline(VIR_ARCH_NONE, cpus, count, NULL, NULL, flags & VIR_CONNECT_BASELINE_CPU_MIGRATABLE);
    if (cpu && (!(flags & VIR_CONNECT_BASELINE_CPU_EXPAND_FEATURES) || virCPUExpandFeatures(cpus[0]->arch, cpu) == 0)) {
        text = virCPUDefFormat(cpu, NULL);
    }
    virCPUDefListFree(cpus);
    return text;
}
