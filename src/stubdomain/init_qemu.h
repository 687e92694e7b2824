/*
 * The QEMU process of the stubdomain
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * QEMU is started under a user id of its own, with the device nodes it needs
 * given to that user, under the filter of init_sandbox.h. Of all capabilities
 * it keeps two when PCI devices may be passed through, as reading beyond byte
 * 64 of their configuration space and /dev/mem (MSI-X tables) ask for them,
 * and none otherwise. This file does not speak with QEMU and does not reap it.
 */

#pragma once

#include <glib.h>
#include <sys/types.h>

#include "init_arguments.h"

/* User and group of QEMU; nothing in the image belongs to them. */
#define INIT_QEMU_ID 1000

typedef struct {
    pid_t pid;
    int qmp; /* socket that speaks QMP, owned by whoever takes it */
} InitQemu;

/**
 * initQemuGiveNodes:
 * @arguments: what QEMU is going to open
 *
 * Makes /dev/xen/ and the nodes of @arguments belong to INIT_QEMU_ID, and puts
 * consoles into raw mode.
 */
void initQemuGiveNodes(const InitArguments *arguments);

/**
 * initQemuGive:
 * @path: a device node or a file in sysfs
 *
 * Makes one more file belong to INIT_QEMU_ID. A missing file is not an error.
 */
void initQemuGive(const char *path);

/**
 * initQemuTakePrivcmd:
 *
 * Closes /dev/xen/privcmd to QEMU again. What it has open stays open, and is
 * restricted by its own -xen-domid-restrict.
 */
void initQemuTakePrivcmd(void);

/**
 * initQemuStart:
 * @arguments: complete arguments
 * @fds: descriptors the arguments name, to be inherited
 * @nFds: how many
 * @restricted: no capabilities, and -xen-domid-restrict
 * @qemu: (out): the process
 * @error: where to store INIT_ERROR_SYSTEM
 *
 * Starts QEMU. That it cannot be executed is seen as its exit with status 127.
 *
 * Returns: TRUE if there is a process
 */
gboolean initQemuStart(const InitArguments *arguments, const int *fds, guint nFds, gboolean restricted, InitQemu *qemu,
                       GError **error);
