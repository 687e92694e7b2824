/*
 * A domain as libxl wants it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libxl is told that the guest's device model is xen-stubdom-dm, a QEMU as far
 * as it can see. What a function here does not understand it refuses; which
 * elements get as far as here is stubdom_validate.c's business.
 */

#include "stubdom_compat.h"

#include "stubdom_libxl_config.h"

#define HAVE_YAJL_YAJL_VERSION_H 1 /* of yajl 2, for libxl_json.h */
#include <libxl_json.h>

#include "cpu_conf.h"
#include "virbitmap.h"

#include "stubdom_libxl_devices.h"
#include "stubdom_refusal.h"
#include "stubdom_settings.h"

#define KIB_PER_MIB 1024
#define VCPUS_MAX 128    /* HVM_MAX_VCPUS of Xen's public/hvm/hvm_info_table.h */
#define WEIGHT_MAX 65535 /* of the credit scheduler, xl(1) sched-credit2 */

static int
buildBoot(libxl_domain_build_info *info, const virDomainDef *def)
{
    static const char letters[VIR_DOMAIN_BOOT_LAST] = {
        [VIR_DOMAIN_BOOT_CDROM] = 'd',
        [VIR_DOMAIN_BOOT_DISK] = 'c',
        [VIR_DOMAIN_BOOT_NET] = 'n',
    };
    char order[VIR_DOMAIN_BOOT_LAST + 1] = "";

    for (size_t i = 0; i < def->os.nBootDevs; i++) {
        virDomainBootOrder device = def->os.bootDevs[i];

        if (!letters[device]) {
            return stubdomRefuse("boot dev", virDomainBootTypeToString(device),
                                 _("libxl has no floppy disks for HVM guests"));
        }
        order[i] = letters[device];
    }
    info->u.hvm.boot = *order ? g_strdup(order) : NULL;
    return 0;
}

static int
buildOs(libxl_domain_build_info *info, const virDomainDef *def)
{
    const virDomainLoaderDef *loader = def->os.loader;

    if (STRNEQ_NULLABLE(def->os.machine, "xenfv")) {
        return stubdomRefuse("machine", def->os.machine, _("libxl's QEMU is a xenfv"));
    }
    if (def->emulator && STRNEQ(def->emulator, STUBDOM_DEVICE_MODEL)) {
        return stubdomRefuse("emulator", def->emulator, _("the device model is the installed xen-stubdom-dm"));
    }
    if (loader && loader->path) {
        if (!g_str_has_suffix(loader->path, "/hvmloader") || loader->type == VIR_DOMAIN_LOADER_TYPE_PFLASH) {
            return stubdomRefuse("loader", loader->path, _("only hvmloader is; UEFI is not implemented yet"));
        }
        info->u.hvm.firmware = g_strdup(loader->path);
    }
    return buildBoot(info, def);
}

static void
buildFeatures(StubdomLibxlConfig *config, const virDomainDef *def)
{
    libxl_defbool_set(&config->b_info.acpi, def->features[VIR_DOMAIN_FEATURE_ACPI] == VIR_TRISTATE_SWITCH_ON);
    libxl_defbool_set(&config->b_info.apic, def->features[VIR_DOMAIN_FEATURE_APIC] == VIR_TRISTATE_SWITCH_ON);
    libxl_defbool_set(&config->b_info.u.hvm.pae, true);
    if (def->features[VIR_DOMAIN_FEATURE_VIRIDIAN] == VIR_TRISTATE_SWITCH_ON) {
        libxl_defbool_set(&config->b_info.u.hvm.viridian, true);
    }
    if (def->features[VIR_DOMAIN_FEATURE_HAP] != VIR_TRISTATE_SWITCH_ABSENT) {
        libxl_defbool_set(&config->c_info.hap, def->features[VIR_DOMAIN_FEATURE_HAP] == VIR_TRISTATE_SWITCH_ON);
    }
}

static int
buildTimer(libxl_domain_build_info *info, const virDomainTimerDef *timer)
{
    static const int modes[VIR_DOMAIN_TIMER_MODE_LAST] = {
        [VIR_DOMAIN_TIMER_MODE_NONE] = LIBXL_TSC_MODE_DEFAULT,
        [VIR_DOMAIN_TIMER_MODE_AUTO] = LIBXL_TSC_MODE_DEFAULT,
        [VIR_DOMAIN_TIMER_MODE_NATIVE] = LIBXL_TSC_MODE_NATIVE,
        [VIR_DOMAIN_TIMER_MODE_EMULATE] = LIBXL_TSC_MODE_ALWAYS_EMULATE,
        [VIR_DOMAIN_TIMER_MODE_PARAVIRT] = LIBXL_TSC_MODE_NATIVE_PARAVIRT,
        [VIR_DOMAIN_TIMER_MODE_SMPSAFE] = -1,
    };

    if (timer->name == VIR_DOMAIN_TIMER_NAME_HPET && timer->present != VIR_TRISTATE_BOOL_ABSENT) {
        libxl_defbool_set(&info->u.hvm.hpet, timer->present == VIR_TRISTATE_BOOL_YES);
        return 0;
    }
    if (timer->name == VIR_DOMAIN_TIMER_NAME_TSC && timer->present != VIR_TRISTATE_BOOL_NO && modes[timer->mode] >= 0) {
        info->tsc_mode = (libxl_tsc_mode)modes[timer->mode];
        return 0;
    }
    return stubdomRefuse(
        "timer", virDomainTimerNameTypeToString(timer->name),
        _("hpet with 'present' and tsc with the mode auto, native, emulate or paravirt are what libxl can be "
          "told"));
}

static int
buildClock(libxl_domain_build_info *info, const virDomainDef *def)
{
    const virDomainClockDef *clock = &def->clock;

    if (clock->offset == VIR_DOMAIN_CLOCK_OFFSET_LOCALTIME) {
        libxl_defbool_set(&info->localtime, true);
    } else if (clock->offset == VIR_DOMAIN_CLOCK_OFFSET_VARIABLE) {
        long long adjustment = clock->data.variable.adjustment;

        if (adjustment < G_MININT32 || adjustment > G_MAXINT32) {
            g_autofree char *text = g_strdup_printf("%lld", adjustment);

            return stubdomRefuse("clock adjustment", text, _("libxl takes 32 bits of seconds"));
        }
        if (clock->data.variable.basis == VIR_DOMAIN_CLOCK_BASIS_LOCALTIME) {
            libxl_defbool_set(&info->localtime, true);
        }
        info->rtc_timeoffset = (uint32_t)(int32_t)adjustment;
    } else if (clock->offset != VIR_DOMAIN_CLOCK_OFFSET_UTC) {
        return stubdomRefuse("clock offset", virDomainClockOffsetTypeToString(clock->offset),
                             _("utc, localtime and variable are what libxl can be told"));
    }
    for (size_t i = 0; i < clock->ntimers; i++) {
        if (buildTimer(info, clock->timers[i]) < 0) {
            return -1;
        }
    }
    return 0;
}

static void
setBitmap(libxl_bitmap *bitmap, virBitmap *from)
{
    bitmap->size = (uint32_t)VIR_DIV_UP(virBitmapSize(from), CHAR_BIT);
    bitmap->map = g_malloc0(bitmap->size);
    virBitmapToDataBuf(from, bitmap->map, bitmap->size);
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

        setBitmap(&info->vcpu_hard_affinity[i], mask ? mask : all);
    }
}

static int
buildCpu(libxl_domain_build_info *info, const virDomainDef *def)
{
    unsigned int count = virDomainDefGetVcpusMax(def);
    g_autoptr(virBitmap) online = virBitmapNew(count);

    if (def->cpu && def->cpu->mode != VIR_CPU_MODE_HOST_PASSTHROUGH) {
        return stubdomRefuse("cpu mode", virCPUModeTypeToString(def->cpu->mode),
                             _("the guest has the host's CPU (host-passthrough)"));
    }
    if (def->placement_mode == VIR_DOMAIN_CPU_PLACEMENT_MODE_AUTO) {
        return stubdomRefuse("vcpu placement", "auto", _("libxl places the guest itself"));
    }
    if (count > VCPUS_MAX) {
        g_autofree char *text = g_strdup_printf("%u", count);

        return stubdomRefuse("vcpu", text, _("Xen has up to 128 for an HVM guest"));
    }
    if (def->cputune.sharesSpecified && (def->cputune.shares < 1 || def->cputune.shares > WEIGHT_MAX)) {
        g_autofree char *text = g_strdup_printf("%llu", (unsigned long long)def->cputune.shares);

        return stubdomRefuse("shares", text, _("they are the weight of Xen's scheduler, from 1 to 65535"));
    }
    if (def->cputune.sharesSpecified) {
        info->sched_params.weight = (int)def->cputune.shares;
    }
    info->max_vcpus = (int)count;
    for (unsigned int i = 0; i < virDomainDefGetVcpus(def); i++) {
        virBitmapSetBitExpand(online, i);
    }
    setBitmap(&info->avail_vcpus, online);
    buildAffinity(info, def);
    return 0;
}

static int
buildAction(libxl_action_on_shutdown *action, const char *element, int value)
{
    switch ((virDomainLifecycleAction)value) {
    case VIR_DOMAIN_LIFECYCLE_ACTION_DESTROY:
        *action = LIBXL_ACTION_ON_SHUTDOWN_DESTROY;
        return 0;
    case VIR_DOMAIN_LIFECYCLE_ACTION_RESTART:
        *action = LIBXL_ACTION_ON_SHUTDOWN_RESTART;
        return 0;
    case VIR_DOMAIN_LIFECYCLE_ACTION_RESTART_RENAME:
        *action = LIBXL_ACTION_ON_SHUTDOWN_RESTART_RENAME;
        return 0;
    case VIR_DOMAIN_LIFECYCLE_ACTION_PRESERVE:
        *action = LIBXL_ACTION_ON_SHUTDOWN_PRESERVE;
        return 0;
    case VIR_DOMAIN_LIFECYCLE_ACTION_COREDUMP_DESTROY:
        *action = LIBXL_ACTION_ON_SHUTDOWN_COREDUMP_DESTROY;
        return 0;
    case VIR_DOMAIN_LIFECYCLE_ACTION_COREDUMP_RESTART:
        *action = LIBXL_ACTION_ON_SHUTDOWN_COREDUMP_RESTART;
        return 0;
    case VIR_DOMAIN_LIFECYCLE_ACTION_LAST:
    default:
        return stubdomRefuse(element, NULLSTR(virDomainLifecycleActionTypeToString(value)),
                             _("libxl has no such action"));
    }
}

static int
buildActions(StubdomLibxlConfig *config, const virDomainDef *def)
{
    if (buildAction(&config->on_poweroff, "on_poweroff", def->onPoweroff) < 0 ||
        buildAction(&config->on_reboot, "on_reboot", def->onReboot) < 0 ||
        buildAction(&config->on_crash, "on_crash", def->onCrash) < 0) {
        return -1;
    }
    config->on_watchdog = LIBXL_ACTION_ON_SHUTDOWN_DESTROY;
    config->on_soft_reset = LIBXL_ACTION_ON_SHUTDOWN_SOFT_RESET;
    return 0;
}

static void
buildMemory(libxl_domain_build_info *info, const virDomainDef *def)
{
    info->max_memkb = VIR_ROUND_UP(virDomainDefGetMemoryTotal(def), KIB_PER_MIB);
    info->target_memkb = VIR_ROUND_UP(def->mem.cur_balloon, KIB_PER_MIB);
}

static void
buildDeviceModel(libxl_domain_build_info *info, const virDomainDef *def)
{
    g_autofree char *option = stubdomSettingsToOption(def->namespaceData);

    info->device_model_version = LIBXL_DEVICE_MODEL_VERSION_QEMU_XEN;
    info->device_model = g_strdup(STUBDOM_DEVICE_MODEL);
    libxl_defbool_set(&info->device_model_stubdomain, false); /* libxl's own kind of stubdomain */
    if (option) {
        info->extra = g_new0(char *, 3);
        info->extra[0] = g_strdup("-stubdom");
        info->extra[1] = g_steal_pointer(&option);
    }
}

int
stubdomLibxlConfigBuild(StubdomLibxlConfig *config, const virDomainDef *def)
{
    libxl_domain_config_init(config);
    config->c_info.type = LIBXL_DOMAIN_TYPE_HVM;
    config->c_info.name = g_strdup(def->name);
    memcpy(config->c_info.uuid.uuid, def->uuid, sizeof(def->uuid));
    libxl_domain_build_info_init_type(&config->b_info, LIBXL_DOMAIN_TYPE_HVM);
    buildFeatures(config, def);
    buildMemory(&config->b_info, def);
    buildDeviceModel(&config->b_info, def);
    if (buildOs(&config->b_info, def) < 0 || buildClock(&config->b_info, def) < 0 ||
        buildCpu(&config->b_info, def) < 0 || buildActions(config, def) < 0) {
        return -1;
    }
    return stubdomLibxlDevicesBuild(config, def);
}

char *
stubdomLibxlConfigToJson(StubdomLibxlConfig *config)
{
    yajl_gen generator = yajl_gen_alloc(NULL);
    const unsigned char *text = NULL;
    char *result = NULL;
    size_t length = 0;

    if (generator && yajl_gen_config(generator, yajl_gen_beautify, 1) &&
        libxl_domain_config_gen_json(generator, config) == yajl_gen_status_ok &&
        yajl_gen_get_buf(generator, &text, &length) == yajl_gen_status_ok) {
        result = g_strndup((const char *)text, length);
    } else {
        virReportError(VIR_ERR_INTERNAL_ERROR, "%s", _("libxl cannot write the domain's configuration"));
    }
    if (generator) {
        yajl_gen_free(generator);
    }
    return result;
}
