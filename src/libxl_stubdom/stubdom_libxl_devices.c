/*
 * A domain's devices as libxl wants them
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Each kind of device has a file; here are those that need little or no word to
 * libxl, but must be of the kind that is there. A device without a row in the
 * table of stubdom_validate.c is refused after this.
 */

#include "stubdom_compat.h"

#include "stubdom_libxl_devices.h"

#include "stubdom_libxl_disk.h"
#include "stubdom_libxl_display.h"
#include "stubdom_libxl_nic.h"
#include "stubdom_libxl_pci.h"
#include "stubdom_libxl_serial.h"
#include "stubdom_libxl_usb.h"
#include "stubdom_refusal.h"

#define GRANT_FRAMES_MAX 4096     /* more than any hypervisor allows; Xen says so itself below that */
#define EVENT_CHANNELS_MAX 131071 /* of the FIFO interface, public/event_channel.h */

static int
buildXenbus(libxl_domain_build_info *info, const virDomainControllerDef *controller)
{
    int channels = controller->opts.xenbusopts.maxEventChannels;
    int frames = controller->opts.xenbusopts.maxGrantFrames;

    if (channels > EVENT_CHANNELS_MAX || frames > GRANT_FRAMES_MAX) {
        return stubdomRefuse("controller", "xenbus", _("at most %d event channels and %d grant frames are possible"),
                             EVENT_CHANNELS_MAX, GRANT_FRAMES_MAX);
    }
    if (channels > 0) {
        info->event_channels = (uint32_t)channels;
    }
    if (frames > 0) {
        info->max_grant_frames = (uint32_t)frames;
    }
    return 0;
}

static int
buildController(libxl_domain_build_info *info, const virDomainControllerDef *controller)
{
    const char *type = virDomainControllerTypeToString(controller->type);
    bool expected = controller->idx == 0;

    switch (controller->type) {
    case VIR_DOMAIN_CONTROLLER_TYPE_USB:
        return 0; /* stubdom_libxl_usb.c */
    case VIR_DOMAIN_CONTROLLER_TYPE_XENBUS:
        return buildXenbus(info, controller);
    case VIR_DOMAIN_CONTROLLER_TYPE_IDE:
        expected = expected && (controller->model == VIR_DOMAIN_CONTROLLER_MODEL_IDE_DEFAULT ||
                                controller->model == VIR_DOMAIN_CONTROLLER_MODEL_IDE_PIIX3);
        break;
    case VIR_DOMAIN_CONTROLLER_TYPE_SCSI:
        expected = expected && (controller->model == VIR_DOMAIN_CONTROLLER_MODEL_SCSI_DEFAULT ||
                                controller->model == VIR_DOMAIN_CONTROLLER_MODEL_SCSI_AUTO ||
                                controller->model == VIR_DOMAIN_CONTROLLER_MODEL_SCSI_LSILOGIC);
        break;
    default:
        expected = false;
        break;
    }
    if (!expected) {
        return stubdomRefuse("controller", type,
                             _("there is one each of ide (piix3), scsi (lsilogic), usb and xenbus"));
    }
    return 0;
}

static int
checkMemballoon(const virDomainDef *def)
{
    if (def->memballoon && def->memballoon->model != VIR_DOMAIN_MEMBALLOON_MODEL_XEN &&
        def->memballoon->model != VIR_DOMAIN_MEMBALLOON_MODEL_NONE) {
        return stubdomRefuse("memballoon", virDomainMemballoonModelTypeToString(def->memballoon->model),
                             _("Xen has its own"));
    }
    return 0;
}

/* QEMU's emulation of the card is complete without a way to hear it. */
static int
buildSound(libxl_domain_build_info *info, const virDomainDef *def)
{
    static const char *const cards[VIR_DOMAIN_SOUND_MODEL_LAST] = {
        [VIR_DOMAIN_SOUND_MODEL_SB16] = "sb16",
        [VIR_DOMAIN_SOUND_MODEL_ES1370] = "es1370",
        [VIR_DOMAIN_SOUND_MODEL_AC97] = "ac97",
        [VIR_DOMAIN_SOUND_MODEL_ICH6] = "hda",
    };
    const char *model = def->nsounds ? virDomainSoundModelTypeToString(def->sounds[def->nsounds - 1]->model) : NULL;

    if (!model) {
        return 0;
    }
    if (def->nsounds > 1) {
        return stubdomRefuse("sound", model, _("libxl has one card a guest"));
    }
    if (!cards[def->sounds[0]->model]) {
        return stubdomRefuse("sound", model, _("possible are sb16, es1370, ac97 and ich6"));
    }
    info->u.hvm.soundhw = g_strdup(cards[def->sounds[0]->model]);
    return 0;
}

int
stubdomLibxlDevicesBuild(StubdomLibxlConfig *config, const virDomainDef *def)
{
    if (stubdomLibxlDisksBuild(config, def) < 0 || stubdomLibxlNicsBuild(config, def) < 0 ||
        stubdomLibxlSerialsBuild(config, def) < 0 || stubdomLibxlDisplayBuild(config, def) < 0 ||
        stubdomLibxlUsbBuild(config, def) < 0 || stubdomLibxlPcisBuild(config, def) < 0) {
        return -1;
    }
    for (size_t i = 0; i < def->ncontrollers; i++) {
        if (buildController(&config->b_info, def->controllers[i]) < 0) {
            return -1;
        }
    }
    return buildSound(&config->b_info, def) < 0 ? -1 : checkMemballoon(def);
}
