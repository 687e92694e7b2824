/*
 * A domain's processors as libxl wants them
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The guest has the host's CPU, as far as Xen gives it to guests, and features
 * can be taken away from it. libvirt's models are other sets of features than
 * Xen's policy, so that a model would not be what it says.
 */

#include "stubdom_compat.h"

#include "stubdom_libxl_cpu.h"

#include "cpu_conf.h"
#include "virbitmap.h"

#include "stubdom_domaincaps.h"
#include "stubdom_refusal.h"

#define WEIGHT_MAX 65535 /* of the credit scheduler, xl(1) sched-credit2 */

void
stubdomLibxlBitmapSet(libxl_bitmap *to, virBitmap *from)
{
    to->size = (uint32_t)VIR_DIV_UP(virBitmapSize(from), CHAR_BIT);
    to->map = g_malloc0(to->size);
    virBitmapToDataBuf(from, to->map, to->size);
}

/* The CPUs vCPU @i may run on; NULL: all. */
static virBitmap *
affinityOf(const virDomainDef *def, size_t i)
{
    return def->vcpus[i]->cpumask ? def->vcpus[i]->cpumask : def->cpumask;
}

/* libxl takes the first n vCPUs' affinities, with no way to leave one out. */
static void
buildAffinity(libxl_domain_build_info *info, const virDomainDef *def)
{
    g_autoptr(virBitmap) all = virBitmapNew(VIR_DOMAIN_CPUMASK_LEN);
    size_t count = 0;

    for (size_t i = 0; i < def->maxvcpus; i++) {
        count = affinityOf(def, i) ? i + 1 : count;
    }
    virBitmapSetAll(all);
    info->num_vcpu_hard_affinity = (int)count;
    info->vcpu_hard_affinity = g_new0(libxl_bitmap, count);
    for (size_t i = 0; i < count; i++) {
        virBitmap *mask = affinityOf(def, i);

        stubdomLibxlBitmapSet(&info->vcpu_hard_affinity[i], mask ? mask : all);
    }
}

/* libvirt's names of features that are others with libxl. */
static const struct {
    const char *libvirt;
    const char *libxl;
} featureNames[] = {
    {"amd-no-ssb", "ssb-no"},
    {"arch-capabilities", "arch-caps"},
    {"avx512bitalg", "avx512-bitalg"},
    {"avx512ifma", "avx512-ifma"},
    {"avx512vbmi", "avx512-vbmi"},
    {"avx512vbmi2", "avx512-vbmi2"},
    {"avx512vnni", "avx512-vnni"},
    {"cid", "cntxid"},
    {"clflush", "clfsh"},
    {"cmp_legacy", "cmplegacy"},
    {"core-capability", "core-caps"},
    {"cr8legacy", "altmovcr8"},
    {"cx16", "cmpxchg16"},
    {"cx8", "cmpxchg8"},
    {"ds_cpl", "dscpl"},
    {"fxsr_opt", "ffxsr"},
    {"ht", "htt"},
    {"lahf_lm", "lahfsahf"},
    {"nodeid_msr", "nodeid"},
    {"pclmuldq", "pclmulqdq"},
    {"pdpe1gb", "page1gb"},
    {"pn", "psn"},
    {"pni", "sse3"},
    {"sep", "sysenter"},
    {"sha-ni", "sha"},
    {"spec-ctrl", "ibrsb"},
};

/* Words of libxl's that are numbers, not features. */
static const char *const numbers[] = {
    "apicidsize", "brandid", "family",    "localapicid", "maxhvleaf", "maxleaf",
    "model",      "nc",      "proccount", "procpkg",     "stepping",  NULL,
};

const char *
stubdomLibxlCpuFeature(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(featureNames); i++) {
        if (g_str_equal(name, featureNames[i].libvirt)) {
            return featureNames[i].libxl;
        }
    }
    return name;
}

static int
parseFeature(libxl_domain_build_info *info, const char *name, bool wanted)
{
    const char *known = stubdomLibxlCpuFeature(name);
    g_autofree char *text = g_strdup_printf("%s=%d", known, wanted ? 1 : 0);

    if (g_strv_contains(numbers, known) || strpbrk(known, "=,") || libxl_cpuid_parse_config(&info->cpuid, text) != 0) {
        return stubdomRefuse("cpu feature", name, _("libxl does not know it"));
    }
    return 0;
}

static int
buildFeature(libxl_domain_build_info *info, const virCPUFeatureDef *feature)
{
    bool nested = g_str_equal(feature->name, "vmx") || g_str_equal(feature->name, "svm");

    switch (feature->policy) {
    case VIR_CPU_FEATURE_FORCE:
    case VIR_CPU_FEATURE_REQUIRE:
        if (nested) {
            return stubdomRefuse("cpu feature", feature->name, _("guests do not get to run guests"));
        }
        return parseFeature(info, feature->name, true);
    case VIR_CPU_FEATURE_DISABLE:
    case VIR_CPU_FEATURE_FORBID:
        return parseFeature(info, feature->name, false);
    case VIR_CPU_FEATURE_OPTIONAL:
    default:
        return 0; /* as the host has it, which is what the guest gets anyway */
    }
}

static int
buildModel(libxl_domain_build_info *info, const virCPUDef *cpu)
{
    if (!cpu) {
        return 0;
    }
    if (cpu->mode != VIR_CPU_MODE_HOST_PASSTHROUGH) {
        return stubdomRefuse("cpu mode", virCPUModeTypeToString(cpu->mode),
                             _("the guest has the host's CPU (host-passthrough)"));
    }
    if (cpu->migratable == VIR_TRISTATE_SWITCH_OFF) {
        return stubdomRefuse("cpu migratable", "off", _("Xen gives guests a CPU they can migrate with"));
    }
    if (cpu->check != VIR_CPU_CHECK_DEFAULT && cpu->check != VIR_CPU_CHECK_NONE) {
        return stubdomRefuse("cpu check", cpu->check == VIR_CPU_CHECK_FULL ? "full" : "partial",
                             _("libxl does not tell which features the guest's CPU has in the end"));
    }
    for (size_t i = 0; i < cpu->nfeatures; i++) {
        if (buildFeature(info, &cpu->features[i]) < 0) {
            return -1;
        }
    }
    return 0;
}

static int
buildShares(libxl_domain_build_info *info, const virDomainDef *def)
{
    g_autofree char *text = NULL;

    if (!def->cputune.sharesSpecified) {
        return 0;
    }
    if (def->cputune.shares >= 1 && def->cputune.shares <= WEIGHT_MAX) {
        info->sched_params.weight = (int)def->cputune.shares;
        return 0;
    }
    text = g_strdup_printf("%llu", (unsigned long long)def->cputune.shares);
    return stubdomRefuse("shares", text, _("they are the weight of Xen's scheduler, from 1 to 65535"));
}

int
stubdomLibxlCpuBuild(StubdomLibxlConfig *config, const virDomainDef *def)
{
    libxl_domain_build_info *info = &config->b_info;
    unsigned int count = virDomainDefGetVcpusMax(def);
    g_autoptr(virBitmap) online = virBitmapNew(count);

    if (def->placement_mode == VIR_DOMAIN_CPU_PLACEMENT_MODE_AUTO) {
        return stubdomRefuse("vcpu placement", "auto", _("libxl places the guest itself"));
    }
    if (count > STUBDOM_VCPUS_MAX) {
        g_autofree char *text = g_strdup_printf("%u", count);

        return stubdomRefuse("vcpu", text, _("Xen has up to 128 for an HVM guest"));
    }
    info->max_vcpus = (int)count;
    for (unsigned int i = 0; i < virDomainDefGetVcpus(def); i++) {
        virBitmapSetBitExpand(online, i);
    }
    stubdomLibxlBitmapSet(&info->avail_vcpus, online);
    buildAffinity(info, def);
    return buildShares(info, def) < 0 ? -1 : buildModel(info, def->cpu);
}
