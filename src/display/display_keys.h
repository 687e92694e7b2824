/*
 * From what viewers call a key to what Linux calls it
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Two names: a keysym of X11, which says what the key means on the viewer's
 * keyboard, and is found on an American one here; and, from viewers that know
 * QEMU's extension of RFB, the scancode, which says where the key is, and works
 * with every layout. No I/O.
 */

#pragma once

#include <stdint.h>

/** Linux's code of the key that makes @keysym on an American keyboard, or 0. */
uint32_t displayKeyOfKeysym(uint32_t keysym);

/** Linux's code of a key with that scancode (set 1; 0xe0 before it is 0x80 in it), or 0. */
uint32_t displayKeyOfScancode(uint32_t scancode);
