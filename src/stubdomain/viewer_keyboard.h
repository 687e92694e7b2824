/*
 * Events of the PV keyboard and pointer
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The frontend's half of xen/io/kbdif.h in user space, as the kernels of
 * Debian's cloud flavour have no xen-kbdfront: takes events out of the shared
 * page and hands them to QEMU's VNC server. Rings and nodes are set up by
 * stubdom-init (init_keyboard.h), and this knows neither grants nor ports.
 */

#pragma once

#include <glib.h>

#include "viewer_rfb.h"

typedef struct {
    void *page;    /* shared with the backend, which writes it at any time */
    guint buttons; /* RFB's mask */
    gint64 x;      /* of the pointer, pixels */
    gint64 y;
} ViewerKeyboard;

/**
 * viewerKeyboardRead:
 * @rfb: gets keys and moves of the pointer
 * @max: bytes of output of @rfb from which on events are left where they are
 *
 * Returns: whether events were taken, of which the backend is to be told
 */
gboolean viewerKeyboardRead(ViewerKeyboard *keyboard, ViewerRfb *rfb, gsize max);
