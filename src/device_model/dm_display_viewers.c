/*
 * Who looks at a display
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "dm_display_viewers.h"

/* All members: main loop only. */
struct _DmDisplayViewers {
    const GPtrArray *listeners; /* immutable */
    gboolean password;          /* immutable */
    DmDisplayEventFunc func;    /* immutable */
    gpointer opaque;            /* immutable */
    GHashTable *table;          /* number → DisplayReply of its connection, which has the number */
};

DmDisplayViewers *
dmDisplayViewersNew(const GPtrArray *listeners, gboolean password, DmDisplayEventFunc func, gpointer opaque)
{
    DmDisplayViewers *viewers = g_new0(DmDisplayViewers, 1);

    viewers->listeners = listeners;
    viewers->password = password;
    viewers->func = func;
    viewers->opaque = opaque;
    viewers->table = g_hash_table_new_full(g_int_hash, g_int_equal, NULL, g_free);
    return viewers;
}

void
dmDisplayViewersFree(DmDisplayViewers *viewers)
{
    if (viewers) {
        g_hash_table_unref(viewers->table);
        g_free(viewers);
    }
}

static const char *
familyName(guint32 family)
{
    static const char *const names[] = {"unknown", "ipv4", "ipv6", "unix"};

    return names[family];
}

static JsonObject *
describe(const char *host, const char *service, const char *family, gboolean websocket)
{
    JsonObject *object = json_object_new();

    json_object_set_string_member(object, "host", host);
    json_object_set_string_member(object, "service", service);
    json_object_set_string_member(object, "family", family);
    json_object_set_boolean_member(object, "websocket", websocket);
    return object;
}

static JsonObject *
describeClient(const DisplayReply *viewer)
{
    return describe(viewer->host, viewer->service, familyName(viewer->family),
                    (viewer->flags & DISPLAY_FLAG_WEBSOCKET) != 0);
}

static JsonObject *
describeServer(const DmDisplayViewers *viewers, guint number)
{
    JsonObject *object;

    if (number < viewers->listeners->len) {
        const DmDisplayListener *listener = g_ptr_array_index(viewers->listeners, number);

        object = describe(listener->host, listener->service, listener->family, listener->websocket);
    } else {
        object = describe("", "", "unknown", FALSE);
    }
    json_object_set_string_member(object, "auth", viewers->password ? "vnc" : "none");
    return object;
}

static void
tell(const DmDisplayViewers *viewers, const char *name, const DisplayReply *viewer)
{
    JsonObject *data = json_object_new();

    json_object_set_object_member(data, "server", describeServer(viewers, viewer->listener));
    json_object_set_object_member(data, "client", describeClient(viewer));
    viewers->func(name, data, viewers->opaque);
}

gboolean
dmDisplayViewersReply(DmDisplayViewers *viewers, const DisplayReply *reply)
{
    DisplayReply *known = g_hash_table_lookup(viewers->table, &reply->viewer);

    switch ((DisplayReplyType)reply->type) {
    case DISPLAY_REPLY_VIEWER_CONNECTED:
        if (known || g_hash_table_size(viewers->table) >= DISPLAY_VIEWERS_MAX) {
            return FALSE;
        }
        known = g_memdup2(reply, sizeof(*reply));
        g_hash_table_insert(viewers->table, &known->viewer, known);
        tell(viewers, "VNC_CONNECTED", reply);
        return TRUE;
    case DISPLAY_REPLY_VIEWER_INITIALIZED:
        if (known) {
            tell(viewers, "VNC_INITIALIZED", known);
        }
        return known != NULL;
    case DISPLAY_REPLY_VIEWER_GONE:
        if (!known) {
            return FALSE;
        }
        tell(viewers, "VNC_DISCONNECTED", known);
        g_hash_table_remove(viewers->table, &reply->viewer);
        return TRUE;
    case DISPLAY_REPLY_CONNECTED:
    case DISPLAY_REPLY_DISCONNECTED:
    case DISPLAY_REPLY_BROKEN:
    case DISPLAY_REPLY_DUMPED:
    case DISPLAY_REPLY_LAST:
    default:
        return FALSE;
    }
}

void
dmDisplayViewersLost(DmDisplayViewers *viewers)
{
    GHashTableIter iter;
    gpointer viewer;

    g_hash_table_iter_init(&iter, viewers->table);
    while (g_hash_table_iter_next(&iter, NULL, &viewer)) {
        tell(viewers, "VNC_DISCONNECTED", viewer);
    }
    g_hash_table_remove_all(viewers->table);
}

guint
dmDisplayViewersCount(const DmDisplayViewers *viewers)
{
    return g_hash_table_size(viewers->table);
}

JsonObject *
dmDisplayViewersDescribe(const DmDisplayViewers *viewers)
{
    JsonObject *object = describeServer(viewers, 0);
    JsonArray *clients = json_array_new();
    GHashTableIter iter;
    gpointer viewer;

    json_object_remove_member(object, "websocket");
    json_object_set_boolean_member(object, "enabled", TRUE);
    g_hash_table_iter_init(&iter, viewers->table);
    while (g_hash_table_iter_next(&iter, NULL, &viewer)) {
        json_array_add_object_element(clients, describeClient(viewer));
    }
    json_object_set_array_member(object, "clients", clients);
    return object;
}
