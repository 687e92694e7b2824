/*
 * Connection of an emulated network card to its PV network card
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A macvtap device in passthru mode on top of the PV card. Both cards have the
 * guest's MAC address, so a bridge would take the guest's frames for its own;
 * it also learns, ages, snoops multicast and swallows link-local frames, and a
 * pair of tc redirects needs more modules and more netlink. macvtap in
 * passthru mode hands over every frame in both directions unread, completes
 * partial checksums and segments large frames for a reader that can do
 * neither. The stubdomain itself has no address and sends nothing.
 */

#pragma once

#include <glib.h>

/**
 * initNetworkPresent:
 * @number: of the PV network card, as in device/vif/@number
 *
 * Returns: whether its network interface exists
 */
gboolean initNetworkPresent(guint number);

/**
 * initNetworkConnect:
 * @number: of the PV network card, which must be present
 * @error: where to store INIT_ERROR_SYSTEM
 *
 * Makes the macvtap device, brings both interfaces up and opens it.
 *
 * Returns: its descriptor, close-on-exec, or -1
 */
int initNetworkConnect(guint number, GError **error);
