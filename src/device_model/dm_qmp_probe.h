/*
 * QMP probe: what libxl asks a device model before it uses it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libxl of Xen 4.20 and later first runs the device model with "-machine none"
 * and no guest, only to ask which command line options it knows
 * (libxl_dm.c, libxl__spawn_local_dm()). No stubdomain, no xenstore.
 */

#pragma once

#include <glib.h>

/** Whether this command line is libxl's probe ("-machine none…" and no "-xen-domid"), not the start of a guest. */
gboolean dmQmpProbeWanted(int argc, char **argv);

/**
 * dmQmpProbeRun:
 *
 * Serves QMP on the listening socket that "-chardev socket,…,fd=N" passes,
 * until the client has said "quit" or gone, or a deadline has passed. Runs the
 * default main context.
 *
 * Returns: the exit status: 0, or 1 with a line on stderr when there is no such socket
 */
int dmQmpProbeRun(int argc, char **argv);
