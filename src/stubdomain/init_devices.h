/*
 * Whether the devices QEMU is to have are there
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The toolstack attaches disks and network cards while the stubdomain boots.
 * A device is there when it can be used, which is later than
 * when its name appears: a disk when it can be opened (until its driver has
 * finished, that fails), a network card when the kernel has it in its list of
 * interfaces, a console when its frontend and backend are connected. The
 * kernel makes the names of all consoles at once, and to open one takes bytes
 * out of its ring, so that xenstore is asked instead.
 */

#pragma once

#include <glib.h>

#include "init_arguments.h"
#include "init_xenstore.h"

/* Whether PV console @number (1 or more) is connected, for initDevicesMissing(). */
typedef gboolean (*InitDevicesConsole)(guint number, gpointer data);

/**
 * initDevicesMissing:
 * @connected: asked for each console but the first, which the kernel itself uses
 * @data: for @connected
 *
 * Each change of the answer from something to NULL comes with a uevent, or with
 * a change of what @connected says.
 *
 * Returns: (transfer full) (nullable): a device that is not there yet, in words, or NULL if all are
 */
char *initDevicesMissing(const InitArguments *arguments, InitDevicesConsole connected, gpointer data);

/**
 * initDevicesPoke:
 *
 * Has the kernel look again for disks and network cards. It lists its devices
 * first and watches for others then (frontend_probe_and_watch() of Linux): one
 * that was attached in between is found at the next write below its directory.
 */
void initDevicesPoke(InitXenstore *store);
