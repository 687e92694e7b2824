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
    guint timeout;       /* stubdom.timeout=SECONDS: deadline for devices, and for a guest to let go of one */
    gboolean restricted; /* stubdom.restrict: QEMU gives up what only PCI passthrough needs */
} InitOptions;

#define INIT_TIMEOUT_DEFAULT 20U
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
