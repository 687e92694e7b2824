/*
 * The display's event loop
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "display_xen.h"

/**
 * displayLoopInit:
 * @xen: its handles; the function for replies is set here
 * @name: of the guest, for viewers
 * @limit: bytes of framebuffer
 *
 * To be called before the process is confined, once.
 *
 * Returns: false with errno set
 */
bool displayLoopInit(DisplayXen *xen, const char *name, uint64_t limit);

/** Serves until xen-stubdom-dm closes descriptor 3. */
_Noreturn void displayLoopRun(void);
