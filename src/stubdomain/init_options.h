/*
 * Options of stubdom-init
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Words of the kernel's command line that begin with "stubdom."; the kernel
 * leaves them alone and the image's descriptor, or the toolstack, sets them.
 */

#pragma once

#include <glib.h>

typedef struct {
    guint deviceTimeout; /* stubdom.timeout=SECONDS: deadline for disks and network cards to appear … */
    guint timeout;       /* … and for the device of a command, INIT_EJECT_TIMEOUT_SPARE more than the next at most */
    guint ejectTimeout;  /* stubdom.eject-timeout=SECONDS: for a guest to let go of a PCI device; the toolstack waits no
                            longer for a command's answer */
    gboolean restricted; /* stubdom.restrict: QEMU gives up what only PCI passthrough needs */
} InitOptions;

/* libxl gives up on a hotplug script after 40 s, and says why. */
#define INIT_DEVICE_TIMEOUT_DEFAULT 60U
#define INIT_TIMEOUT_DEFAULT 20U
#define INIT_EJECT_TIMEOUT_DEFAULT 8U
/* What the toolstack waits longer than that, less what QEMU takes to take a device. */
#define INIT_EJECT_TIMEOUT_SPARE 1U
#define INIT_TIMEOUT_MAX 3600U

/**
 * initOptionsParse:
 * @text: the kernel's command line
 * @options: (out): what it says, and the defaults for the rest
 * @error: where to store INIT_ERROR_ARGUMENT for a word that begins with
 *   "stubdom." and is not understood
 *
 * Returns: TRUE if all words are understood
 */
gboolean initOptionsParse(const char *text, InitOptions *options, GError **error);
