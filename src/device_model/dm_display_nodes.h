/*
 * Xenstore nodes of a stubdomain's PV framebuffer and PV keyboard
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * "If graphics output is expected, VFB and VKB devices are set for the
 * stubdomain" (stubdom.txt, "Setup"). They are written here and not by libxl:
 * libxl puts the address and the password of its VNC server into them, for a
 * QEMU in dom0, and expects that one to end with the domain. What is written is
 * what any frontend needs, with libxl's permissions (libxl_vfb.c of Xen 4.17),
 * and without libxl's own record, so whoever makes the nodes removes them. It
 * writes; it does not follow anything.
 */

#pragma once

#include <glib.h>

#include "dm_store.h"

/** Writes frontends and backends; to be called in a transaction, before the stubdomain runs. */
gboolean dmDisplayNodesWrite(DmStore *store, guint stubdomain, GError **error);

/**
 * dmDisplayNodesRemove:
 *
 * Removes the backends, and what was made around them if nobody else is there;
 * the frontends go with the stubdomain. To be called in a transaction; TRUE too
 * when there were none.
 */
gboolean dmDisplayNodesRemove(DmStore *store, guint stubdomain, GError **error);
