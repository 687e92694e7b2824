/*
 * Keys by their place: the PV keyboard's numbers as QEMU's
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A PV keyboard says Linux's key codes (kbdif.h), QEMU takes a PC keyboard's
 * scan codes of set 1 with 0x80 for an 0xe0 prefix. No symbols and no layout
 * are involved: which key has which symbol is known where the viewer is.
 */

#pragma once

#include <glib.h>

/** QEMU's number of the key that Linux calls @code; 0: it has none. */
guint viewerKeysScancode(guint32 code);
