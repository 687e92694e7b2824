/*
 * QMP's commands for virtual CPUs, spoken as the protocol's cpu-add
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libxl_set_vcpuonline() asks which virtual CPUs there are, what kind a new one
 * is, and adds those that are missing (libxl_domain.c). Which there are is
 * known here, from the start and from the stubdomain's answers; it is not asked.
 * None is ever taken away: libxl has no words for that.
 */

#include "config.h"

#include <glib/gi18n-lib.h>

#include "dm_commands.h"
#include "dm_error.h"

/* What libxl is told a virtual CPU is called, to say it back. */
#define CPU_DRIVER "stubdom-vcpu"

/* libxl gives up after 10 s (LIBXL_QMP_CMD_TIMEOUT), counted over all CPUs of one call: milliseconds for one. */
#define LIBXL_PATIENCE 7000U

/* A command on its way. */
typedef struct {
    DmModel *model;
    DmQmpRequest *request;
    guint cpu;
} CpuCall;

static gboolean
isThere(const DmGuest *guest, guint cpu)
{
    return cpu < guest->vcpus || (cpu < STUBDOM_CPUS_MAX && guest->plugged[cpu]);
}

/* CPUs the guest can have. */
static guint
most(const DmGuest *guest)
{
    return MIN(MAX(guest->vcpus, guest->vcpusMax), STUBDOM_CPUS_MAX);
}

static void
returnArray(DmQmpRequest *request, JsonArray *array)
{
    JsonNode *node = json_node_new(JSON_NODE_ARRAY);

    json_node_take_array(node, array);
    dmQmpRequestReturn(request, node);
}

void
dmCommandQueryCpus(DmQmpRequest *request, JsonObject *arguments, gpointer opaque)
{
    const DmGuest *guest = dmModelGuest(opaque);
    JsonArray *array = json_array_new();

    for (guint i = 0; i < MAX(guest->vcpus, guest->vcpusMax); i++) {
        g_autofree char *path = g_strdup_printf("/machine/unattached/device[%u]", i);
        JsonObject *object = NULL;

        if (!isThere(guest, i)) {
            continue;
        }
        object = json_object_new();
        json_object_set_int_member(object, "cpu-index", i);
        json_object_set_string_member(object, "qom-path", path);
        json_object_set_int_member(object, "thread-id", 0);
        json_object_set_string_member(object, "target", "i386");
        json_array_add_object_element(array, object);
    }
    returnArray(request, array);
}

void
dmCommandQueryHotpluggableCpus(DmQmpRequest *request, JsonObject *arguments, gpointer opaque)
{
    const DmGuest *guest = dmModelGuest(opaque);
    JsonArray *array = json_array_new();

    for (guint i = 0; i < most(guest); i++) {
        JsonObject *object = json_object_new();
        JsonObject *place = json_object_new();

        json_object_set_int_member(place, "socket-id", i);
        json_object_set_int_member(place, "core-id", 0);
        json_object_set_int_member(place, "thread-id", 0);
        json_object_set_string_member(object, "type", CPU_DRIVER);
        json_object_set_int_member(object, "vcpus-count", 1);
        json_object_set_object_member(object, "props", place);
        json_array_add_object_element(array, object);
    }
    returnArray(request, array);
}

gboolean
dmCommandsIsCpu(JsonObject *arguments)
{
    JsonNode *node = arguments ? json_object_get_member(arguments, "driver") : NULL;

    return node && JSON_NODE_HOLDS_VALUE(node) && g_strcmp0(json_node_get_string(node), CPU_DRIVER) == 0;
}

static void
added(const GError *error, guint8 devfn, gpointer opaque)
{
    CpuCall *call = opaque;

    if (error) {
        g_message("virtual CPU %u was not added: %s", call->cpu, error->message);
        dmQmpRequestFail(call->request, "GenericError", _("virtual CPU %u was not added: %s"), call->cpu,
                         error->message);
    } else {
        dmModelGuest(call->model)->plugged[call->cpu] = TRUE;
        dmQmpRequestReturn(call->request, NULL);
    }
    g_free(call);
}

/* The number in @arguments, or G_MAXUINT if the guest cannot have it. */
static guint
place(JsonObject *arguments, const DmGuest *guest)
{
    JsonNode *node = json_object_get_member(arguments, "socket-id");
    gint64 number = node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_INT64
                        ? json_node_get_int(node)
                        : -1;

    return number < 0 || number >= most(guest) ? G_MAXUINT : (guint)number;
}

/* What forbids the addition before the stubdomain is asked. */
static gboolean
checkAdd(DmModel *model, guint cpu, GError **error)
{
    const DmGuest *guest = dmModelGuest(model);

    if (dmModelPhase(model) != DM_MODEL_RUNNING || !dmStubdomainChannel(dmModelStubdomain(model))) {
        g_set_error(error, DM_ERROR, DM_ERROR_DEAD, _("the guest has no stubdomain that runs"));
    } else if (cpu == G_MAXUINT) {
        g_set_error(error, DM_ERROR, DM_ERROR_ARGUMENT, _("'socket-id' is to be a virtual CPU of the guest, 0 to %u"),
                    most(guest) - 1);
    } else if (isThere(guest, cpu)) {
        g_set_error(error, DM_ERROR, DM_ERROR_ARGUMENT, _("the guest has virtual CPU %u already"), cpu);
    } else if (!dmImageHas(dmModelImage(model), "cpu-add")) {
        g_set_error(error, DM_ERROR, DM_ERROR_UNSUPPORTED, _("stubdomain image '%s' cannot add virtual CPUs"),
                    dmModelOptions(model)->image);
    } else {
        return TRUE;
    }
    return FALSE;
}

void
dmCommandCpuAdd(DmQmpRequest *request, JsonObject *arguments, gpointer opaque)
{
    DmModel *model = opaque;
    guint cpu = place(arguments, dmModelGuest(model));
    g_autofree char *parameter = g_strdup_printf("%u", cpu);
    g_autoptr(GError) error = NULL;
    CpuCall *call;

    if (!checkAdd(model, cpu, &error)) {
        g_message("no virtual CPU was added: %s", error->message);
        dmQmpRequestFail(request, "GenericError", "%s", error->message);
        return;
    }
    call = g_new0(CpuCall, 1);
    call->model = model;
    call->request = request;
    call->cpu = cpu;
    dmChannelSend(dmStubdomainChannel(dmModelStubdomain(model)), STUBDOM_COMMAND_CPU_ADD, parameter,
                  MIN(dmModelOptions(model)->commandTimeout * 1000, LIBXL_PATIENCE), added, call);
}
