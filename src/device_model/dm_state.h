/*
 * Device state: what can be told of it from outside
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The state of a guest's emulated devices is a QEMU's savevm stream. It comes
 * from a stubdomain and goes to a later one, and only a QEMU of the same kind
 * can read all of it: sections have no length. So this file looks at what a
 * stream must begin and end with, and is no proof that a QEMU will take it.
 */

#pragma once

#include <glib.h>

#include "dm_image.h"

/* Bytes of the beginning that are looked at: file header, section header, a name of 255 bytes. */
#define DM_STATE_HEAD_MAX 269U

typedef struct {
    guint8 head[DM_STATE_HEAD_MAX]; /* the first bytes */
    gsize headLength;               /* how many */
    guint8 last;                    /* the last byte */
    guint64 size;                   /* of all of it */
} DmState;

/**
 * dmStateCheck:
 * @kind: whose state it is
 *
 * Checks magic, version, the first section's header and the end mark
 * (migration/savevm.c of QEMU; a traditional one's has the same form).
 *
 * Returns: FALSE with DM_ERROR_STATE if it is no state or not a whole one
 */
gboolean dmStateCheck(const DmState *state, DmImageKind kind, GError **error);

/**
 * dmStateCheckFile:
 * @fd: a file with nothing but a device state; its position is neither used nor moved
 * @limit: bytes it may have
 *
 * Returns: FALSE with DM_ERROR_STATE, or DM_ERROR_SYSTEM if it cannot be read
 */
gboolean dmStateCheckFile(int fd, guint64 limit, DmImageKind kind, GError **error);
