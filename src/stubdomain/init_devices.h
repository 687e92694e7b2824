/*
 * Whether the devices QEMU is to have are there
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The toolstack attaches disks and network cards while the stubdomain boots.
 * A device is there when it can be used, which is later than when its name
 * appears: a disk when it can be opened (until its driver has finished, that
 * fails), a network card when the kernel has it in its list of interfaces.
 * Consoles are there from the start, and are only looked at: to open one takes
 * bytes out of its ring.
 */

#pragma once

#include <glib.h>

#include "init_arguments.h"

/**
 * initDevicesMissing:
 *
 * Each change of the answer from something to NULL comes with a uevent.
 *
 * Returns: (transfer full) (nullable): a device that is not there yet, in words, or NULL if all are
 */
char *initDevicesMissing(const InitArguments *arguments);
