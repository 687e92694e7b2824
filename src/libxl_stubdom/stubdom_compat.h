/*
 * The libvirt this driver is compiled against
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * First include of every file of the driver. What differs from one libvirt to
 * the next is evened out here and nowhere else. Written against 9.0; later
 * versions have not been compiled yet, so an unknown one is an error, not a guess.
 */

#pragma once

#include <config.h>

#include "internal.h"

#if LIBVIR_VERSION_NUMBER < 9000000 || LIBVIR_VERSION_NUMBER >= 9001000
#error "this libvirt is not known to stubdom_compat.h; libvirt 9.0 is"
#endif

#include "virerror.h"
#include "virlog.h"

/* Messages of this driver show up where those of the stock Xen driver do. */
#define VIR_FROM_THIS VIR_FROM_XEN
