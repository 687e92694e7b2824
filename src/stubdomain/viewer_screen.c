/*
 * The PV framebuffer, see the header
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "viewer_screen.h"

#include <errno.h>
#include <linux/fb.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "init_error.h"

gboolean
viewerScreenOpen(ViewerScreen *screen, int fd, guint width, guint height, GError **error)
{
    struct fb_fix_screeninfo fixed = {0};
    struct fb_var_screeninfo variable = {0};

    if (ioctl(fd, FBIOGET_FSCREENINFO, &fixed) < 0 || ioctl(fd, FBIOGET_VSCREENINFO, &variable) < 0) {
        initErrorSetErrno(error, errno, "the framebuffer does not say what it is");
        return FALSE;
    }
    if (variable.bits_per_pixel != VIEWER_RFB_PIXEL * 8 || fixed.smem_len / MAX(fixed.line_length, 1) < height ||
        fixed.line_length / VIEWER_RFB_PIXEL < width) {
        g_set_error(error, INIT_ERROR, INIT_ERROR_SYSTEM,
                    "the framebuffer has %u bits a pixel and %u bytes for %u x %u", variable.bits_per_pixel,
                    fixed.smem_len, width, height);
        return FALSE;
    }
    screen->fd = fd;
    screen->length = fixed.smem_len;
    screen->stride = fixed.line_length;
    screen->width = width;
    screen->height = height;
    screen->pixels = mmap(NULL, screen->length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (screen->pixels == MAP_FAILED) {
        screen->pixels = NULL;
        initErrorSetErrno(error, errno, "cannot map the framebuffer");
        return FALSE;
    }
    return TRUE;
}

gboolean
viewerScreenResize(ViewerScreen *screen, guint width, guint height, ViewerPicture *picture, GError **error)
{
    struct fb_var_screeninfo variable = {0};
    gboolean done;

    picture->pixels = screen->pixels;
    picture->stride = screen->stride;
    picture->width = MIN(width, screen->width);
    picture->height = MIN(height, screen->height);
    done = ioctl(screen->fd, FBIOGET_VSCREENINFO, &variable) == 0;
    variable.xres = picture->width;
    variable.yres = picture->height;
    variable.activate = FB_ACTIVATE_NOW;
    if (done && ioctl(screen->fd, FBIOPUT_VSCREENINFO, &variable) == 0)
        return TRUE;
    initErrorSetErrno(error, errno, "the framebuffer keeps its size");
    memset(screen->pixels, 0, screen->length); /* around the picture */
    return FALSE;
}
