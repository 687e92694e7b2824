/*
 * The two rtnetlink requests stubdom-init needs
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Instead of a netlink library and instead of ip(8) in the image. Requests are
 * answered by the kernel within the call.
 */

#pragma once

#include <glib.h>

/**
 * initNetlinkMacvtapAdd:
 * @lower: index of the interface to take over
 * @name: of the new interface
 * @error: where to store INIT_ERROR_SYSTEM
 *
 * Makes a macvtap interface in passthru mode.
 *
 * Returns: TRUE if it exists now
 */
gboolean initNetlinkMacvtapAdd(guint lower, const char *name, GError **error);

/**
 * initNetlinkSetFlags:
 * @index: of the interface
 * @flags: IFF_* to set; others stay
 * @error: where to store INIT_ERROR_SYSTEM
 *
 * Returns: TRUE if they are set
 */
gboolean initNetlinkSetFlags(guint index, guint flags, GError **error);
