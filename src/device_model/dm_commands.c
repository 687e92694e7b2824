/*
 * The QMP commands libxl and the driver may send
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Questions are answered from the plan and from what we know ourselves. What
 * asks the stubdomain anything is in dm_commands_save.c, _pci.c, _cdrom.c and
 * _cpu.c.
 */

#include "config.h"

#include "dm_commands.h"

#include "dm_terminals.h"

static JsonNode *
takeObject(JsonObject *object)
{
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);

    json_node_take_object(node, object);
    return node;
}

static JsonNode *
takeArray(JsonArray *array)
{
    JsonNode *node = json_node_new(JSON_NODE_ARRAY);

    json_node_take_array(node, array);
    return node;
}

void
dmCommandsAnswerStatus(DmModel *model, DmQmpRequest *request)
{
    JsonObject *object = json_object_new();
    DmChannel *channel = dmStubdomainChannel(dmModelStubdomain(model));
    gboolean paused = dmCommandsSaveStopped(model) || (channel && dmChannelState(channel) == STUBDOM_STATE_PAUSED);
    gboolean launched = *dmModelContinued(model);
    const char *status = !launched ? "prelaunch" : paused ? "paused" : "running";

    if (dmModelPhase(model) == DM_MODEL_ORPHANED) {
        status = "internal-error";
        launched = FALSE;
    }
    json_object_set_string_member(object, "status", status);
    json_object_set_boolean_member(object, "running", launched && !paused);
    json_object_set_boolean_member(object, "singlestep", FALSE);
    dmQmpRequestReturn(request, takeObject(object));
}

static void
queryStatus(DmQmpRequest *request, JsonObject *arguments, gpointer opaque)
{
    DmModel *model = opaque;

    if (dmModelPhase(model) == DM_MODEL_STARTING) {
        dmModelHold(model, request); /* libxl asks this to learn when we are ready */
    } else {
        dmCommandsAnswerStatus(model, request);
    }
}

static char *
serialName(DmModel *model, guint index)
{
    DmTerminals *terminals = dmStubdomainTerminals(dmModelStubdomain(model));

    return terminals ? dmTerminalsSerialName(terminals, index) : NULL;
}

static void
queryChardev(DmQmpRequest *request, JsonObject *arguments, gpointer opaque)
{
    DmModel *model = opaque;
    JsonArray *array = json_array_new();

    for (guint i = 0; i < g_strv_length(dmModelGuest(model)->serials); i++) {
        g_autofree char *label = g_strdup_printf("serial%u", i);
        g_autofree char *name = serialName(model, i);
        JsonObject *object = json_object_new();

        json_object_set_string_member(object, "label", label);
        json_object_set_string_member(object, "filename", name ? name : "null");
        json_object_set_boolean_member(object, "frontend-open", TRUE);
        json_array_add_object_element(array, object);
    }
    dmQmpRequestReturn(request, takeArray(array));
}

/* libxl's has two meanings: a PCI device, a virtual CPU. */
static void
deviceAddLibxl(DmQmpRequest *request, JsonObject *arguments, gpointer opaque)
{
    if (dmCommandsIsCpu(arguments)) {
        dmCommandCpuAdd(request, arguments, opaque);
    } else {
        dmCommandDeviceAddLibxl(request, arguments, opaque);
    }
}

const DmQmpCommand dmCommandsLibxl[] = {
    {"add-fd", dmCommandAddFd},
    {"change", dmCommandChange},
    {"cont", dmCommandCont},
    {"device_add", deviceAddLibxl},
    {"query-chardev", queryChardev},
    {"query-cpus-fast", dmCommandQueryCpus},
    {"query-hotpluggable-cpus", dmCommandQueryHotpluggableCpus},
    {"query-pci", dmCommandQueryPciLibxl},
    {"query-status", queryStatus},
    {"query-vnc", dmCommandQueryVnc},
    {"stop", dmCommandStop},
    {"xen-save-devices-state", dmCommandSave},
    {"xen-set-global-dirty-log", dmCommandDirtyLog},
    {NULL, NULL},
};

const DmQmpCommand dmCommandsDriver[] = {
    {"add_client", dmCommandAddClient},
    {"blockdev-change-medium", dmCommandChangeMedium},
    {"change", dmCommandChange},
    {"cont", dmCommandCont},
    {"device_add", dmCommandDeviceAdd},
    {"device_del", dmCommandDeviceDel},
    {"eject", dmCommandEject},
    {"expire_password", dmCommandExpirePassword},
    {"getfd", dmCommandGetFd},
    {"query-block", dmCommandQueryBlock},
    {"query-chardev", queryChardev},
    {"query-cpus-fast", dmCommandQueryCpus},
    {"query-pci", dmCommandQueryPci},
    {"query-status", queryStatus},
    {"query-vnc", dmCommandQueryVnc},
    {"screendump", dmCommandScreendump},
    {"send-key", dmCommandSendKey},
    {"set_password", dmCommandSetPassword},
    {"stubdom-query-save", dmCommandQuerySave},
    {NULL, NULL},
};
