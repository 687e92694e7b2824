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

#include "virbitmap.h"

#include "stubdom_libxl_clock.h"
#include "stubdom_libxl_cpu.h"
#include "stubdom_libxl_devices.h"
#include "stubdom_libxl_features.h"
#include "stubdom_libxl_os.h"
#include "stubdom_refusal.h"
#include "stubdom_settings.h"

#define KIB_PER_MIB 1024
#define MEMORY_MIN (32 * KIB_PER_MIB) /* twice what libxl gives a video card that says nothing */

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

/*
 * The video card's memory is part of the guest's. A guest that may have devices of the host cannot get its memory when
 * it first uses it, as they would not wait: it has all of it, and gives back what it should not have later.
 */
static int
buildMemory(StubdomLibxlConfig *config, const virDomainDef *def)
{
    libxl_domain_build_info *info = &config->b_info;
    bool passthrough = config->c_info.passthrough > LIBXL_PASSTHROUGH_DISABLED;
    unsigned long long memory = VIR_ROUND_UP(virDomainDefGetMemoryTotal(def), KIB_PER_MIB);

    if (memory < MEMORY_MIN + (def->nvideos ? def->videos[0]->vram : 0)) {
        g_autofree char *text = g_strdup_printf("%llu", memory);

        return stubdomRefuse("memory", text, _("a guest needs at least %d KiB, and what its video card has"),
                             MEMORY_MIN);
    }
    info->max_memkb = memory;
    info->target_memkb = passthrough ? memory : VIR_ROUND_UP(def->mem.cur_balloon, KIB_PER_MIB);
    return 0;
}

static void
buildDeviceModel(libxl_domain_build_info *info, const virDomainDef *def, const StubdomSettings *defaults)
{
    virBitmap *pinned = def->cputune.emulatorpin;
    g_autofree char *cpus = pinned ? virBitmapFormat(pinned) : NULL;
    g_autofree char *option = stubdomSettingsToOption(def->namespaceData, defaults, cpus);

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
stubdomLibxlConfigBuild(StubdomLibxlConfig *config, const virDomainDef *def, const StubdomSettings *defaults)
{
    libxl_domain_config_init(config);
    config->c_info.type = LIBXL_DOMAIN_TYPE_HVM;
    config->c_info.name = g_strdup(def->name);
    memcpy(config->c_info.uuid.uuid, def->uuid, sizeof(def->uuid));
    libxl_domain_build_info_init_type(&config->b_info, LIBXL_DOMAIN_TYPE_HVM);
    buildDeviceModel(&config->b_info, def, defaults);
    if (stubdomLibxlOsBuild(config, def) < 0 || stubdomLibxlClockBuild(config, def) < 0 ||
        stubdomLibxlFeaturesBuild(config, def) < 0 || stubdomLibxlCpuBuild(config, def) < 0 ||
        buildActions(config, def) < 0) {
        return -1;
    }
    return stubdomLibxlDevicesBuild(config, def) < 0 ? -1 : buildMemory(config, def);
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
