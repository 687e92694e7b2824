/*
 * Error domain of xen-stubdom-dm
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Only the quark; the codes are in dm_error.h.
 */

#include "dm_error.h"

G_DEFINE_QUARK(dm-error-quark, dmErrorQuark)
