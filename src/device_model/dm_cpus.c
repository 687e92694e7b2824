/*
 * A list of the host's CPUs
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The form libvirt, Linux and xl have in common, without xl's other words. It
 * is the administrator's; whether the host has the CPUs is Xen's to say.
 */

#include "config.h"

#include "dm_cpus.h"

#include <glib/gi18n-lib.h>

#include "dm_error.h"

static gboolean
parseRange(const char *range, guint8 *map)
{
    g_auto(GStrv) ends = g_strsplit(range, "-", 2);
    guint64 first = 0;
    guint64 last = 0;

    if (!ends[0] || !g_ascii_string_to_unsigned(ends[0], 10, 0, DM_CPUS_MAX - 1, &first, NULL) ||
        !g_ascii_string_to_unsigned(ends[1] ? ends[1] : ends[0], 10, first, DM_CPUS_MAX - 1, &last, NULL)) {
        return FALSE;
    }
    for (guint64 cpu = first; map && cpu <= last; cpu++) {
        map[cpu / 8] |= (guint8)(1U << (cpu % 8));
    }
    return TRUE;
}

gboolean
dmCpusParse(const char *list, guint8 *map, GError **error)
{
    g_auto(GStrv) ranges = g_strsplit(list, ",", -1);
    gboolean good = ranges[0] != NULL;

    for (char **range = ranges; *range && good; range++) {
        good = parseRange(*range, map);
    }
    if (!good) {
        g_set_error(error, DM_ERROR, DM_ERROR_ARGUMENT,
                    _("'%s' (cpus=) is no list of CPUs: numbers from 0 to %u and ranges, as in 0-3,,8"), list,
                    DM_CPUS_MAX - 1);
    }
    return good;
}
