/*
 * Xenstore nodes of a stubdomain's PV framebuffer and PV keyboard
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Permissions: a frontend's directory belongs to the stubdomain, a backend's to
 * dom0, and each may read the other's. Nodes below have their directory's.
 */

#include "config.h"

#include "dm_display_nodes.h"

#include "protocol/stubdom_paths.h"

static const char *const types[] = {STUBDOM_DISPLAY_VFB, STUBDOM_DISPLAY_VKBD};

static gboolean
writeBelow(DmStore *store, const char *directory, const char *name, const char *value, GError **error)
{
    g_autofree char *path = g_strconcat(directory, "/", name, NULL);

    return dmStoreWrite(store, path, value, error);
}

static gboolean
writeDevice(DmStore *store, guint stubdomain, const char *type, GError **error)
{
    g_autofree char *frontend = stubdomPathDisplayFrontend(stubdomain, type);
    g_autofree char *backend = stubdomPathDisplayBackend(stubdomain, type);
    g_autofree char *domid = g_strdup_printf("%u", stubdomain);

    return dmStoreRemove(store, frontend, error) && dmStoreMake(store, frontend, NULL, stubdomain, 0, error) &&
           writeBelow(store, frontend, "backend", backend, error) &&
           writeBelow(store, frontend, "backend-id", "0", error) && writeBelow(store, frontend, "state", "1", error) &&
           dmStoreRemove(store, backend, error) && dmStoreMake(store, backend, NULL, 0, (int)stubdomain, error) &&
           writeBelow(store, backend, "frontend", frontend, error) &&
           writeBelow(store, backend, "frontend-id", domid, error) &&
           writeBelow(store, backend, "online", "1", error) && writeBelow(store, backend, "state", "1", error);
}

gboolean
dmDisplayNodesWrite(DmStore *store, guint stubdomain, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
        if (!writeDevice(store, stubdomain, types[i], error)) {
            return FALSE;
        }
    }
    return TRUE;
}

gboolean
dmDisplayNodesRemove(DmStore *store, guint stubdomain, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
        g_autofree char *backend = stubdomPathDisplayBackend(stubdomain, types[i]);

        if (!dmStoreRemoveBackend(store, backend, error)) {
            return FALSE;
        }
    }
    return TRUE;
}
