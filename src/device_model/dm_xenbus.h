/*
 * States of a device, as backend and frontend tell each other
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * xen/io/xenbus.h, through xenstore. The backend's state is ours to write, the
 * frontend's is whatever a stubdomain says.
 */

#pragma once

#include <glib.h>

#include "dm_store.h"

/* xen/io/xenbus.h, as it goes through xenstore. ABSENT is no state: there is no node. */
typedef enum {
    DM_XENBUS_ABSENT = 0,
    DM_XENBUS_INITIALISING = 1,
    DM_XENBUS_INIT_WAIT = 2,
    DM_XENBUS_INITIALISED = 3,
    DM_XENBUS_CONNECTED = 4,
    DM_XENBUS_CLOSING = 5,
    DM_XENBUS_CLOSED = 6,
    DM_XENBUS_RECONFIGURED = 8,
} DmXenbusState;

/** Sets the state in the directory @backend, unless its nodes have been removed in the meantime: then nothing is made
 * anew. */
gboolean dmXenbusSetState(DmStore *store, const char *backend, DmXenbusState state, GError **error);

/** Reads the state in the directory @frontend; DM_XENBUS_ABSENT if there is none. */
gboolean dmXenbusReadState(DmStore *store, const char *frontend, DmXenbusState *state, GError **error);

/** Reads a number below the directory @frontend, with DM_ERROR_NOT_FOUND if there is none. */
gboolean dmXenbusReadNumber(DmStore *store, const char *frontend, const char *name, guint64 max, guint64 *value,
                            GError **error);
