/*
 * The three rtnetlink requests stubdom-init needs
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Instead of a netlink library and instead of ip(8) in the image. Requests are
 * answered by the kernel within the call.
 */

#pragma once

#include <glib.h>

/**
 * initNetlinkIndex:
 * @name: of an interface
 *
 * An interface has its directory in sysfs, and its uevent, before it is in the
 * kernel's list of interfaces; whoever looks there in between does not find
 * it. The kernel registers an interface and answers this request under the
 * same lock, so that the answer is that of before or after.
 *
 * Returns: its index, or 0 if there is no such interface
 */
guint initNetlinkIndex(const char *name);

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
