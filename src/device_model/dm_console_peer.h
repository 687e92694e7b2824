/*
 * What a descriptor is good for as dom0's end of a console
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

/**
 * dmConsolePeerDescribe:
 * @fd: (transfer none): becomes non-blocking
 * @flags: (out): CONSOLE_PEER_…: the directions it was opened for; a tty that
 *   can be written is lossy, since one that nobody reads must not stop a guest
 *
 * Returns: FALSE with DM_ERROR_SYSTEM
 */
gboolean dmConsolePeerDescribe(int fd, guint32 *flags, GError **error);
