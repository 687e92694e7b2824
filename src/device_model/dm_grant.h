/*
 * A grant that another process maps
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Whoever may ask Linux's grant device can map any page that any domain granted
 * to dom0. A worker that must not be able to is handed a descriptor of the
 * device with one grant in it, which mmap() needs no more than.
 */

#pragma once

#include <glib.h>

/**
 * dmGrantOpen:
 * @domain: who granted the page
 * @offset: (out): for mmap()
 *
 * Returns: a descriptor to be closed by the caller, or -1 with DM_ERROR_SYSTEM
 */
int dmGrantOpen(guint domain, guint32 ref, guint64 *offset, GError **error);
