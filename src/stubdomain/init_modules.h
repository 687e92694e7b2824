/*
 * Kernel modules of the stubdomain
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * image/build-image has resolved the dependencies and decompressed the files:
 * /lib/stubdom/modules/GROUP lists what a group needs, in the order to load, one
 * "PATH [PARAMETER]..." a line. So there is no modprobe, no depmod and nothing
 * is loaded that this guest does not need.
 */

#pragma once

#include <glib.h>

/* Groups, each a file below INIT_MODULES_DIR. */
#define INIT_MODULES_DIR "/lib/stubdom/modules"
#define INIT_MODULES_XEN "xen"         /* what QEMU needs to be a device model */
#define INIT_MODULES_DISK "disk"       /* PV disks */
#define INIT_MODULES_NETWORK "network" /* PV network cards and their connection to the emulated ones */
#define INIT_MODULES_DISPLAY "display" /* what the PV keyboard needs */
#define INIT_MODULES_PCI "pci"         /* PCI devices passed through */

/**
 * initModulesLoad:
 * @group: one of INIT_MODULES_*
 * @error: where to store INIT_ERROR_SYSTEM
 *
 * Loads a group; a module that is loaded already is skipped. A group without
 * a file has everything built into the kernel.
 *
 * Returns: TRUE if all modules are loaded
 */
gboolean initModulesLoad(const char *group, GError **error);

/* @error: why not all modules of the group are loaded, or NULL (transfer none). */
typedef void (*InitModulesFunc)(const GError *error, gpointer data);

/**
 * initModulesLoadBeside:
 * @group: one of INIT_MODULES_*
 * @func: called once, from the main loop, when the group is loaded or could not be
 * @data: for @func
 *
 * Loads a group in a thread of its own. The driver of a PV device does not
 * return from its start until the devices it found are connected, and looks
 * for that ten times a second; devices are usable before that.
 */
void initModulesLoadBeside(const char *group, InitModulesFunc func, gpointer data);
