/*
 * QMP's commands for CD-ROM drives
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * They look like QEMU's, but name files of dom0 and have no format: media are
 * raw. Only the driver has them; libxl refuses to change media of a guest with
 * a stubdomain before it asks anybody.
 */

#include "config.h"

#include <glib/gi18n-lib.h>

#include "dm_cdrom.h"
#include "dm_commands.h"

/* A command on its way. */
typedef struct {
    DmModel *model;
    DmQmpRequest *request;
    char *id;
    gboolean closes; /* there is a medium in the drive afterwards */
} CdromCall;

static JsonNode *
member(JsonObject *arguments, const char *name, GType type)
{
    JsonNode *node = arguments ? json_object_get_member(arguments, name) : NULL;

    return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == type ? node : NULL;
}

static const char *
getString(JsonObject *arguments, const char *name)
{
    JsonNode *node = member(arguments, name, G_TYPE_STRING);

    return node ? json_node_get_string(node) : NULL;
}

static void
trayMoved(CdromCall *call, gboolean open)
{
    JsonObject *data = json_object_new();

    json_object_set_string_member(data, "device", call->id);
    json_object_set_string_member(data, "id", call->id);
    json_object_set_boolean_member(data, "tray-open", open);
    dmModelEvent(call->model, "DEVICE_TRAY_MOVED", data);
}

static void
changed(const GError *error, gpointer opaque)
{
    CdromCall *call = opaque;

    if (error) {
        dmQmpRequestFail(call->request, "GenericError", _("the medium of CD-ROM drive '%.64s' was not changed: %s"),
                         call->id, error->message);
    } else {
        trayMoved(call, TRUE);
        if (call->closes) {
            trayMoved(call, FALSE);
        }
        dmQmpRequestReturn(call->request, NULL);
    }
    g_free(call->id);
    g_free(call);
}

static void
change(DmModel *model, DmQmpRequest *request, JsonObject *arguments, const char *path)
{
    const char *id = getString(arguments, "id");
    JsonNode *force = member(arguments, "force", G_TYPE_BOOLEAN);
    CdromCall *call;

    if (!id) {
        dmQmpRequestFail(request, "GenericError", "%s", _("the drive is to be named by 'id'"));
        return;
    }
    if (dmModelPhase(model) != DM_MODEL_RUNNING) {
        dmQmpRequestFail(request, "GenericError", "%s", _("the guest has no stubdomain that runs"));
        return;
    }
    if (!dmImageHas(dmModelImage(model), "cdrom")) {
        dmQmpRequestFail(request, "GenericError",
                         _("the medium of CD-ROM drive '%.64s' cannot be changed: stubdomain image '%s' does not know "
                           "how"),
                         id, dmModelOptions(model)->image);
        return;
    }
    call = g_new0(CdromCall, 1);
    call->model = model;
    call->request = request;
    call->id = g_strdup(id);
    call->closes = path != NULL;
    dmCdromsChange(dmModelCdroms(model), id, path, force && json_node_get_boolean(force), changed, call);
}

void
dmCommandChangeMedium(DmQmpRequest *request, JsonObject *arguments, gpointer opaque)
{
    const char *path = getString(arguments, "filename");

    if (path) {
        change(opaque, request, arguments, path);
    } else {
        dmQmpRequestFail(request, "GenericError", "%s", _("the medium is to be named by 'filename'"));
    }
}

void
dmCommandEject(DmQmpRequest *request, JsonObject *arguments, gpointer opaque)
{
    change(opaque, request, arguments, NULL);
}

void
dmCommandQueryBlock(DmQmpRequest *request, JsonObject *arguments, gpointer opaque)
{
    JsonNode *node = json_node_new(JSON_NODE_ARRAY);

    json_node_take_array(node, dmCdromsQuery(dmModelCdroms(opaque)));
    dmQmpRequestReturn(request, node);
}
