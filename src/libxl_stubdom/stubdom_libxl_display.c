/*
 * A domain's display as libxl wants it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The card is the guest's business, and there is one although nobody can see
 * it: a BIOS and most guests want one. What shows it is not there yet:
 * buildGraphics() is the one place that refuses <graphics>, and where VNC
 * belongs.
 */

#include "stubdom_compat.h"

#include "stubdom_libxl_display.h"

#include "stubdom_refusal.h"

#define VGA_MEMORY_MIN 16384   /* KiB, libxl's for each card */
#define CIRRUS_MEMORY_MIN 8192 /* KiB */

static int
buildGraphics(libxl_domain_build_info *info, const virDomainDef *def)
{
    const char *type = def->ngraphics ? virDomainGraphicsTypeToString(def->graphics[0]->type) : NULL;

    libxl_defbool_set(&info->u.hvm.vnc.enable, false);
    libxl_defbool_set(&info->u.hvm.sdl.enable, false);
    libxl_defbool_set(&info->u.hvm.spice.enable, false);
    if (!type) {
        return 0;
    }
    if (def->graphics[0]->type != VIR_DOMAIN_GRAPHICS_TYPE_VNC) {
        return stubdomRefuse("graphics", type, _("QEMU is not in dom0, where it could open a window or a port"));
    }
    return stubdomRefuse("graphics", type,
                         _("the stubdomain's display is not implemented yet; leave <graphics> out (virt-install "
                           "--graphics none) and give the guest a <serial> port for a console"));
}

static int
buildVideoMemory(libxl_domain_build_info *info, const virDomainVideoDef *video)
{
    unsigned int minimum = video->type == VIR_DOMAIN_VIDEO_TYPE_CIRRUS ? CIRRUS_MEMORY_MIN : VGA_MEMORY_MIN;

    if (video->vram && video->vram < minimum) {
        return stubdomRefuse("video", virDomainVideoTypeToString(video->type),
                             _("libxl needs at least %u KiB of memory for it"), minimum);
    }
    if (video->vram) {
        info->video_memkb = video->vram;
    }
    return 0;
}

static int
buildVideo(libxl_domain_build_info *info, const virDomainDef *def)
{
    const virDomainVideoDef *video = def->nvideos ? def->videos[0] : NULL;

    info->u.hvm.vga.kind = LIBXL_VGA_INTERFACE_TYPE_STD;
    if (def->nvideos > 1) {
        return stubdomRefuse("video", virDomainVideoTypeToString(def->videos[1]->type),
                             _("libxl has one card a guest"));
    }
    if (!video || video->type == VIR_DOMAIN_VIDEO_TYPE_DEFAULT) {
        return 0;
    }
    if (video->type == VIR_DOMAIN_VIDEO_TYPE_NONE) {
        info->u.hvm.vga.kind = LIBXL_VGA_INTERFACE_TYPE_NONE;
        return 0;
    }
    if (video->type == VIR_DOMAIN_VIDEO_TYPE_CIRRUS) {
        info->u.hvm.vga.kind = LIBXL_VGA_INTERFACE_TYPE_CIRRUS;
    } else if (video->type != VIR_DOMAIN_VIDEO_TYPE_VGA) {
        return stubdomRefuse("video", virDomainVideoTypeToString(video->type), _("vga, cirrus and none are possible"));
    }
    return buildVideoMemory(info, video);
}

int
stubdomLibxlDisplayBuild(StubdomLibxlConfig *config, const virDomainDef *def)
{
    return buildGraphics(&config->b_info, def) < 0 ? -1 : buildVideo(&config->b_info, def);
}
