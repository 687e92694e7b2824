/*
 * A domain's hypervisor features as libxl wants them
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Xen has the interface of Hyper-V in groups ("viridian"), which are other
 * pieces than libvirt's: each of libvirt's that Xen has names its group, and
 * the base, which has relaxed timing and processor indices, comes with any.
 */

#include "stubdom_compat.h"

#include "stubdom_libxl_features.h"

#include "virbitmap.h"

#include "stubdom_libxl_cpu.h"
#include "stubdom_refusal.h"

#define GROUP_NONE (-1) /* Xen has no such enlightenment */

static const int hypervGroups[VIR_DOMAIN_HYPERV_LAST] = {
    [VIR_DOMAIN_HYPERV_RELAXED] = LIBXL_VIRIDIAN_ENLIGHTENMENT_BASE,
    [VIR_DOMAIN_HYPERV_VAPIC] = LIBXL_VIRIDIAN_ENLIGHTENMENT_APIC_ASSIST,
    [VIR_DOMAIN_HYPERV_SPINLOCKS] = GROUP_NONE,
    [VIR_DOMAIN_HYPERV_VPINDEX] = LIBXL_VIRIDIAN_ENLIGHTENMENT_BASE,
    [VIR_DOMAIN_HYPERV_RUNTIME] = GROUP_NONE,
    [VIR_DOMAIN_HYPERV_SYNIC] = LIBXL_VIRIDIAN_ENLIGHTENMENT_SYNIC,
    [VIR_DOMAIN_HYPERV_STIMER] = LIBXL_VIRIDIAN_ENLIGHTENMENT_STIMER,
    [VIR_DOMAIN_HYPERV_RESET] = GROUP_NONE,
    [VIR_DOMAIN_HYPERV_VENDOR_ID] = GROUP_NONE,
    [VIR_DOMAIN_HYPERV_FREQUENCIES] = LIBXL_VIRIDIAN_ENLIGHTENMENT_FREQ,
    [VIR_DOMAIN_HYPERV_REENLIGHTENMENT] = GROUP_NONE,
    [VIR_DOMAIN_HYPERV_TLBFLUSH] = LIBXL_VIRIDIAN_ENLIGHTENMENT_HCALL_REMOTE_TLB_FLUSH,
    [VIR_DOMAIN_HYPERV_IPI] = LIBXL_VIRIDIAN_ENLIGHTENMENT_HCALL_IPI,
    [VIR_DOMAIN_HYPERV_EVMCS] = GROUP_NONE,
    [VIR_DOMAIN_HYPERV_AVIC] = GROUP_NONE,
};

static void
addGroup(virBitmap *groups, int group)
{
    ignore_value(virBitmapSetBit(groups, (size_t)group));
    ignore_value(virBitmapSetBit(groups, LIBXL_VIRIDIAN_ENLIGHTENMENT_BASE));
}

static int
addHyperv(virBitmap *groups, const virDomainDef *def)
{
    if (def->features[VIR_DOMAIN_FEATURE_HYPERV] == VIR_DOMAIN_HYPERV_MODE_PASSTHROUGH) {
        return stubdomRefuse("hyperv mode", "passthrough", _("what Xen has is named piece by piece (custom)"));
    }
    for (size_t i = 0; i < VIR_DOMAIN_HYPERV_LAST; i++) {
        if (def->hyperv_features[i] != VIR_TRISTATE_SWITCH_ON) {
            continue;
        }
        if (hypervGroups[i] == GROUP_NONE) {
            return stubdomRefuse(
                "hyperv feature", virDomainHypervTypeToString((int)i),
                _("Xen's interface of Hyper-V has relaxed, vapic, vpindex, synic, stimer, frequencies, "
                  "tlbflush and ipi"));
        }
        addGroup(groups, hypervGroups[i]);
    }
    return 0;
}

static void
addClock(virBitmap *groups, const virDomainClockDef *clock)
{
    for (size_t i = 0; i < clock->ntimers; i++) {
        if (clock->timers[i]->name == VIR_DOMAIN_TIMER_NAME_HYPERVCLOCK &&
            clock->timers[i]->present == VIR_TRISTATE_BOOL_YES) {
            addGroup(groups, LIBXL_VIRIDIAN_ENLIGHTENMENT_TIME_REF_COUNT);
            addGroup(groups, LIBXL_VIRIDIAN_ENLIGHTENMENT_REFERENCE_TSC);
        }
    }
}

static int
buildViridian(libxl_domain_build_info *info, const virDomainDef *def)
{
    g_autoptr(virBitmap) groups = virBitmapNew(LIBXL_BUILDINFO_HVM_VIRIDIAN_ENABLE_DISABLE_WIDTH);

    if (def->features[VIR_DOMAIN_FEATURE_VIRIDIAN] == VIR_TRISTATE_SWITCH_ON) {
        libxl_defbool_set(&info->u.hvm.viridian, true);
    }
    if (addHyperv(groups, def) < 0) {
        return -1;
    }
    addClock(groups, &def->clock);
    if (!virBitmapIsAllClear(groups)) {
        stubdomLibxlBitmapSet(&info->u.hvm.viridian_enable, groups);
    }
    return 0;
}

/* Whether devices of the host can be given to the guest while it runs; one that has some from the start says so itself.
 */
static void
buildPassthrough(libxl_domain_create_info *info, const virDomainDef *def)
{
    int state = def->features[VIR_DOMAIN_FEATURE_XEN] == VIR_TRISTATE_SWITCH_ON
                    ? def->xen_features[VIR_DOMAIN_XEN_PASSTHROUGH]
                    : VIR_TRISTATE_SWITCH_ABSENT;

    if (state == VIR_TRISTATE_SWITCH_OFF) {
        info->passthrough = LIBXL_PASSTHROUGH_DISABLED;
    } else if (state == VIR_TRISTATE_SWITCH_ON) {
        info->passthrough =
            def->xen_passthrough_mode == VIR_DOMAIN_XEN_PASSTHROUGH_MODE_SYNC_PT    ? LIBXL_PASSTHROUGH_SYNC_PT
            : def->xen_passthrough_mode == VIR_DOMAIN_XEN_PASSTHROUGH_MODE_SHARE_PT ? LIBXL_PASSTHROUGH_SHARE_PT
                                                                                    : LIBXL_PASSTHROUGH_ENABLED;
    }
}

int
stubdomLibxlFeaturesBuild(StubdomLibxlConfig *config, const virDomainDef *def)
{
    libxl_domain_build_info *info = &config->b_info;

    libxl_defbool_set(&info->acpi, def->features[VIR_DOMAIN_FEATURE_ACPI] == VIR_TRISTATE_SWITCH_ON);
    libxl_defbool_set(&info->apic, def->features[VIR_DOMAIN_FEATURE_APIC] == VIR_TRISTATE_SWITCH_ON);
    libxl_defbool_set(&info->u.hvm.pae, true);
    if (def->features[VIR_DOMAIN_FEATURE_HAP] != VIR_TRISTATE_SWITCH_ABSENT) {
        libxl_defbool_set(&config->c_info.hap, def->features[VIR_DOMAIN_FEATURE_HAP] == VIR_TRISTATE_SWITCH_ON);
    }
    if (def->features[VIR_DOMAIN_FEATURE_MSRS] == VIR_TRISTATE_SWITCH_ON) {
        libxl_defbool_set(&info->arch_x86.msr_relaxed,
                          def->msrs_features[VIR_DOMAIN_MSRS_UNKNOWN] == VIR_DOMAIN_MSRS_UNKNOWN_IGNORE);
    }
    buildPassthrough(&config->c_info, def);
    return buildViridian(info, def);
}
