/*
 * QMP's PCI commands, spoken as the protocol's pci-ins and pci-rem
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Keeps the list of devices the stubdomain said it inserted, under the ids our
 * client gave them. Which host device is meant comes from the client alone;
 * from the stubdomain comes one byte, the virtual slot.
 */

#include "config.h"

#include <glib/gi18n-lib.h>

#include "dm_commands.h"

typedef struct {
    char *id;
    char *address; /* DDDD:BB:DD.F on the host */
    guint8 devfn;  /* of the guest */
} DmPciDevice;

/* Insertions on their way; a process has one model. */
static guint inserting;

/* A command on its way. */
typedef struct {
    DmModel *model;
    DmQmpRequest *request;
    char *id;
    char *address;
} PciCall;

static void
deviceFree(gpointer data)
{
    DmPciDevice *device = data;

    g_free(device->id);
    g_free(device->address);
    g_free(device);
}

static GPtrArray *
devices(DmModel *model)
{
    GPtrArray **array = dmModelPciDevices(model);

    if (!*array) {
        *array = g_ptr_array_new_with_free_func(deviceFree);
    }
    return *array;
}

static DmPciDevice *
findDevice(DmModel *model, const char *id)
{
    GPtrArray *array = devices(model);

    for (guint i = 0; i < array->len; i++) {
        DmPciDevice *device = g_ptr_array_index(array, i);

        if (g_str_equal(device->id, id)) {
            return device;
        }
    }
    return NULL;
}

static void
callFree(PciCall *call)
{
    g_free(call->id);
    g_free(call->address);
    g_free(call);
}

static const char *
getString(JsonObject *arguments, const char *member)
{
    JsonNode *node = arguments ? json_object_get_member(arguments, member) : NULL;

    return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING
               ? json_node_get_string(node)
               : NULL;
}

/* The channel commands go through, or NULL with the request answered. */
static DmChannel *
getChannel(DmModel *model, DmQmpRequest *request)
{
    DmChannel *channel = dmStubdomainChannel(dmModelStubdomain(model));

    if (dmModelPhase(model) != DM_MODEL_RUNNING || !channel) {
        dmQmpRequestFail(request, "GenericError", "%s", _("the guest has no stubdomain that runs"));
        return NULL;
    }
    return channel;
}

/* One to @digits hexadecimal digits; *@p moves behind them. */
static gboolean
takeHex(const char **p, guint digits, guint *number)
{
    guint taken = 0;

    for (*number = 0; taken < digits && g_ascii_isxdigit(**p); taken++) {
        *number = *number * 16 + (guint)g_ascii_xdigit_value(*(*p)++);
    }
    return taken > 0;
}

/* @text as the canonical DDDD:BB:DD.F, or NULL. */
static char *
canonicalAddress(const char *text)
{
    guint domain, bus, slot, function;
    const char *p = text ? text : "";

    if (!takeHex(&p, 4, &domain) || *p++ != ':' || !takeHex(&p, 2, &bus) || *p++ != ':' || !takeHex(&p, 2, &slot) ||
        *p++ != '.' || !takeHex(&p, 1, &function) || *p != '\0' || slot > 31 || function > 7) {
        return NULL;
    }
    return g_strdup_printf("%04x:%02x:%02x.%x", domain, bus, slot, function);
}

/* QEMU's addr= ("5" or "5.0", hexadecimal) as devfn; FALSE if it is none. */
static gboolean
parseSlot(const char *text, guint *devfn)
{
    guint slot, function = 0;
    const char *p = text;

    if (!takeHex(&p, 2, &slot) || (*p == '.' && (p++, !takeHex(&p, 1, &function))) || *p != '\0' || slot > 31 ||
        function > 7) {
        return FALSE;
    }
    *devfn = slot << 3 | function;
    return TRUE;
}

static void
inserted(const GError *error, guint8 devfn, gpointer opaque)
{
    PciCall *call = opaque;

    inserting--;
    if (error) {
        dmQmpRequestFail(call->request, "GenericError", _("PCI device %s was not inserted: %s"), call->address,
                         error->message);
    } else {
        DmPciDevice *device = g_new0(DmPciDevice, 1);

        device->id = g_steal_pointer(&call->id);
        device->address = g_steal_pointer(&call->address);
        device->devfn = devfn;
        g_ptr_array_add(devices(call->model), device);
        dmQmpRequestReturn(call->request, NULL);
    }
    callFree(call);
}

void
dmCommandDeviceAdd(DmQmpRequest *request, JsonObject *arguments, gpointer opaque)
{
    DmModel *model = opaque;
    const char *driver = getString(arguments, "driver");
    const char *id = getString(arguments, "id");
    const char *slot = getString(arguments, "addr");
    g_autofree char *address = canonicalAddress(getString(arguments, "hostaddr"));
    g_autofree char *parameter = NULL;
    DmChannel *channel = getChannel(model, request);
    guint devfn = 0;
    PciCall *call;

    if (!channel) {
        return;
    }
    if (g_strcmp0(driver, "xen-pci-passthrough") != 0 || !id || !address || (slot && !parseSlot(slot, &devfn))) {
        dmQmpRequestFail(request, "GenericError",
                         _("device_add takes a 'xen-pci-passthrough' with 'id', 'hostaddr' and perhaps 'addr'"));
        return;
    }
    if (!dmImageHas(dmModelImage(model), "pci-hotplug")) {
        dmQmpRequestFail(request, "GenericError",
                         _("PCI device %s cannot be inserted: stubdomain image '%s' has no PCI hotplug"), address,
                         dmModelOptions(model)->image);
        return;
    }
    if (findDevice(model, id)) {
        dmQmpRequestFail(request, "GenericError", _("there is a device '%s' already"), id);
        return;
    }
    parameter = slot ? g_strdup_printf("%s@%02x,msitranslate=0,power_mgmt=0", address, devfn)
                     : g_strdup_printf("%s,msitranslate=0,power_mgmt=0", address);
    call = g_new0(PciCall, 1);
    call->model = model;
    call->request = request;
    call->id = g_strdup(id);
    call->address = g_steal_pointer(&address);
    inserting++;
    dmChannelSend(channel, STUBDOM_COMMAND_PCI_INSERT, parameter, dmModelOptions(model)->commandTimeout * 1000,
                  inserted, call);
}

static void
removed(const GError *error, guint8 devfn, gpointer opaque)
{
    PciCall *call = opaque;

    if (error) {
        dmQmpRequestFail(call->request, "GenericError", _("PCI device %s was not removed: %s"), call->address,
                         error->message);
    } else {
        DmPciDevice *device = findDevice(call->model, call->id);
        JsonObject *data = json_object_new();

        if (device) {
            g_ptr_array_remove(devices(call->model), device);
        }
        json_object_set_string_member(data, "device", call->id);
        dmModelEvent(call->model, "DEVICE_DELETED", data);
        dmQmpRequestReturn(call->request, NULL);
    }
    callFree(call);
}

void
dmCommandDeviceDel(DmQmpRequest *request, JsonObject *arguments, gpointer opaque)
{
    DmModel *model = opaque;
    const char *id = getString(arguments, "id");
    DmPciDevice *device = id ? findDevice(model, id) : NULL;
    DmChannel *channel = getChannel(model, request);
    PciCall *call;

    if (!channel) {
        return;
    }
    if (!device) {
        dmQmpRequestFail(request, "DeviceNotFound", _("there is no device '%s'"), id ? id : "");
        return;
    }
    call = g_new0(PciCall, 1);
    call->model = model;
    call->request = request;
    call->id = g_strdup(id);
    call->address = g_strdup(device->address);
    dmChannelSend(channel, STUBDOM_COMMAND_PCI_REMOVE, device->address, dmModelOptions(model)->commandTimeout * 1000,
                  removed, call);
}

void
dmCommandQueryPci(DmQmpRequest *request, JsonObject *arguments, gpointer opaque)
{
    DmModel *model = opaque;
    GPtrArray *array = devices(model);
    JsonArray *list = json_array_new();
    JsonArray *buses = json_array_new();
    JsonObject *bus = json_object_new();
    JsonNode *node = json_node_new(JSON_NODE_ARRAY);

    for (guint i = 0; i < array->len; i++) {
        const DmPciDevice *device = g_ptr_array_index(array, i);
        JsonObject *object = json_object_new();

        json_object_set_int_member(object, "bus", 0);
        json_object_set_int_member(object, "slot", device->devfn >> 3);
        json_object_set_int_member(object, "function", device->devfn & 7);
        json_object_set_string_member(object, "qdev_id", device->id);
        json_array_add_object_element(list, object);
    }
    json_object_set_int_member(bus, "bus", 0);
    json_object_set_array_member(bus, "devices", list);
    json_array_add_object_element(buses, bus);
    json_node_take_array(node, buses);
    dmQmpRequestReturn(request, node);
}

guint
dmCommandsPciCount(DmModel *model)
{
    return devices(model)->len + inserting;
}
