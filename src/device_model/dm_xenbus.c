/*
 * States of a device, as backend and frontend tell each other
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "dm_xenbus.h"

#include "dm_error.h"

#define STATE_LENGTH 4

typedef struct {
    const char *path; /* immutable: of the state node */
    char value[STATE_LENGTH];
} StateChange;

static gboolean
changeState(DmStore *store, gpointer opaque, GError **error)
{
    const StateChange *change = opaque;
    g_autoptr(GError) cause = NULL;
    g_autofree char *old = dmStoreRead(store, change->path, NULL, &cause);

    if (!old) {
        if (g_error_matches(cause, DM_ERROR, DM_ERROR_NOT_FOUND)) {
            return TRUE;
        }
        g_propagate_error(error, g_steal_pointer(&cause));
        return FALSE;
    }
    return g_str_equal(old, change->value) || dmStoreWrite(store, change->path, change->value, error);
}

gboolean
dmXenbusSetState(DmStore *store, const char *backend, DmXenbusState state, GError **error)
{
    g_autofree char *path = g_strconcat(backend, "/state", NULL);
    StateChange change = {.path = path};

    g_snprintf(change.value, sizeof(change.value), "%d", (int)state);
    return dmStoreTransaction(store, changeState, &change, error);
}

gboolean
dmXenbusReadNumber(DmStore *store, const char *frontend, const char *name, guint64 max, guint64 *value, GError **error)
{
    g_autofree char *path = g_strconcat(frontend, "/", name, NULL);

    return dmStoreReadNumber(store, path, max, value, error);
}

gboolean
dmXenbusReadState(DmStore *store, const char *frontend, DmXenbusState *state, GError **error)
{
    g_autoptr(GError) cause = NULL;
    guint64 value;

    *state = DM_XENBUS_ABSENT;
    if (!dmXenbusReadNumber(store, frontend, "state", DM_XENBUS_RECONFIGURED, &value, &cause)) {
        if (g_error_matches(cause, DM_ERROR, DM_ERROR_NOT_FOUND)) {
            return TRUE;
        }
        g_propagate_error(error, g_steal_pointer(&cause));
        return FALSE;
    }
    *state = (DmXenbusState)value;
    return TRUE;
}
