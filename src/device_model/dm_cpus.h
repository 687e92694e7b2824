/*
 * A list of the host's CPUs
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

/* CPUs a list can name: 0 to one less. More than Xen is built for. */
#define DM_CPUS_MAX 4096U

/**
 * dmCpusParse:
 * @list: numbers and ranges with commas between them, "0-3,8"
 * @map: (nullable): DM_CPUS_MAX bits, of which those of the list are set
 *
 * Returns: FALSE with DM_ERROR_ARGUMENT if @list is not of that form
 */
gboolean dmCpusParse(const char *list, guint8 *map, GError **error);
