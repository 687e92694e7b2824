/*
 * File systems of the stubdomain
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The image is an initramfs, which stays the root; this adds the kernel's own
 * file systems and a little tmpfs. xenfs is not among them: everything it has
 * for a domU, libxenctrl and libxenstore also find under /dev/xen.
 */

#pragma once

#include <glib.h>

/**
 * initMountsMake:
 * @error: where to store INIT_ERROR_SYSTEM
 *
 * Mounts /dev, /proc, /sys, /run and /tmp. What is mounted already is kept, as
 * a kernel with CONFIG_DEVTMPFS_MOUNT may have done /dev.
 *
 * Returns: TRUE if all of them are there
 */
gboolean initMountsMake(GError **error);
