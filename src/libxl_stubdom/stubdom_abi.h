/*
 * Whether the running libvirt is the one the driver was compiled against
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <stdbool.h>

/**
 * stubdomAbiMatches: compares the headers with the running library.
 *
 * Looks at the library's version and at the true sizes of the structures that
 * are shared with it. Says on stderr what differs, in one line, since the
 * caller is to decline and libvirtd's log may not be set up.
 *
 * Returns true if all of them match.
 */
bool stubdomAbiMatches(void);
