/*
 * Error domain of xen-stubdom-dm
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Only the quark; the codes are in dm_error.h.
 */

#include "dm_error.h"

GQuark
dmErrorQuark(void)
{
    return g_quark_from_static_string("dm-error-quark");
}
