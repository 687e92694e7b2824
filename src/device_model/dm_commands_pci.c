/*
 * QMP's PCI commands, spoken as the protocol's pci-ins and pci-rem
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A device_add that fails is undone: libxl, which gave the device to the
 * stubdomain before, leaves it there. A device_del only lets the guest go; what
 * libxl does after it (libxl_device_pci_destroy()) is its caller's.
 */

#include "config.h"

#include <string.h>

#include <glib/gi18n-lib.h>

#include "dm_commands.h"
#include "dm_error.h"
#include "dm_pci_backend.h"

/* libxl gives up after 10 s (LIBXL_QMP_CMD_TIMEOUT) what it asked for: milliseconds for the stubdomain to answer it. */
#define LIBXL_PATIENCE 7000U

/* A command on its way. */
typedef struct {
    DmModel *model;
    DmQmpRequest *request;
    char *id;
    char *address;
    gboolean libxl;     /* asked on libxl's socket */
    gboolean inserting; /* counted in DmPci */
    char *why;          /* of a failed device_add */
} PciCall;

static void
callFree(PciCall *call)
{
    if (call->inserting) {
        dmModelPci(call->model)->inserting--;
    }
    g_free(call->id);
    g_free(call->address);
    g_free(call->why);
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

/* --- answers that come after their deadline ---------------------------------- */

static void
withdrawn(const GError *error, guint8 devfn, gpointer opaque)
{
    if (error) {
        g_message("a PCI device that was inserted too late was not removed: %s", error->message);
    }
}

static void
deleted(DmModel *model, const char *id)
{
    JsonObject *data = json_object_new();

    json_object_set_string_member(data, "device", id);
    dmPciRemove(dmModelPci(model), dmPciFind(dmModelPci(model), id));
    dmModelEvent(model, "DEVICE_DELETED", data);
}

/* Nobody waits for the device any more: what was inserted goes, what was removed is gone. */
static void
answeredLate(StubdomCommand command, const char *parameter, const char *text, gpointer opaque)
{
    DmModel *model = opaque;
    g_autofree char *address = g_strndup(parameter, strcspn(parameter, "@,"));
    DmPciDevice *device = dmPciFindAddress(dmModelPci(model), address);

    if (command == STUBDOM_COMMAND_PCI_INSERT && g_str_equal(text, stubdomStateName(STUBDOM_STATE_PCI_INSERTED))) {
        dmChannelSend(dmStubdomainChannel(dmModelStubdomain(model)), STUBDOM_COMMAND_PCI_REMOVE, address,
                      dmModelOptions(model)->commandTimeout * 1000, withdrawn, NULL);
    } else if (command == STUBDOM_COMMAND_PCI_REMOVE && device &&
               g_str_equal(text, stubdomStateName(STUBDOM_STATE_PCI_REMOVED))) {
        g_autofree char *id = g_strdup(device->id);

        deleted(model, id);
    }
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
    dmChannelSetLate(channel, answeredLate, model);
    return channel;
}

/* --- device_add --------------------------------------------------------------- */

/*
 * libxl sends a device_add that failed again and again for 10 s when the guest
 * has a stubdomain (pci_add_qmp_device_add_cb() in libxl_pci.c), and believes
 * the first error of the query-pci that follows a successful one. So the
 * failure waits for that.
 */
static void
failInsert(PciCall *call)
{
    DmPci *pci = dmModelPci(call->model);

    g_message("%s", call->why);
    if (call->libxl) {
        pci->refused = dmQmpRequestClient(call->request);
        g_free(pci->why);
        pci->why = g_steal_pointer(&call->why);
        dmQmpRequestReturn(call->request, NULL);
    } else {
        dmQmpRequestFail(call->request, "GenericError", "%s", call->why);
    }
    callFree(call);
}

static void
takenBack(const GError *error, gpointer opaque)
{
    PciCall *call = opaque;

    if (error) {
        g_message("%s", error->message);
    }
    failInsert(call);
}

/* Undoes what libxl did before it asked us, unless it did nothing or its domain is gone; then says why. */
static void
undoInsert(PciCall *call, const GError *error)
{
    guint stubdomain = dmStubdomainDomid(dmModelStubdomain(call->model));

    call->why = g_strdup_printf(_("PCI device %s was not inserted: %s"), call->address, error->message);
    if (g_error_matches(error, DM_ERROR, DM_ERROR_NOT_FOUND) || g_error_matches(error, DM_ERROR, DM_ERROR_DEAD) ||
        g_error_matches(error, DM_ERROR, DM_ERROR_CANCELLED)) {
        failInsert(call);
    } else {
        dmPciBackendRemove(stubdomain, call->address, takenBack, call);
    }
}

static void
inserted(const GError *error, guint8 devfn, gpointer opaque)
{
    PciCall *call = opaque;

    if (error) {
        undoInsert(call, error);
        return;
    }
    dmPciAdd(dmModelPci(call->model), call->id, call->address, devfn);
    dmQmpRequestReturn(call->request, NULL);
    callFree(call);
}

/* The parameter of pci-ins, or NULL if @arguments are not those of a device_add we know. */
static char *
insertParameter(JsonObject *arguments, const char *address)
{
    const char *slot = getString(arguments, "addr");
    JsonNode *permissive = arguments ? json_object_get_member(arguments, "permissive") : NULL;
    g_autofree char *at = NULL;
    guint devfn = 0;

    if (g_strcmp0(getString(arguments, "driver"), "xen-pci-passthrough") != 0 || !getString(arguments, "id") ||
        !address || (slot && !dmPciSlot(slot, &devfn))) {
        return NULL;
    }
    at = slot ? g_strdup_printf("@%02x", devfn) : g_strdup("");
    return g_strdup_printf("%s%s,msitranslate=0,power_mgmt=0%s", address, at,
                           permissive && json_node_get_value_type(permissive) == G_TYPE_BOOLEAN &&
                                   json_node_get_boolean(permissive)
                               ? ",permissive=1"
                               : "");
}

/* What forbids the insertion before the stubdomain is asked. */
static gboolean
checkInsert(DmModel *model, const char *id, const char *address, GError **error)
{
    if (!dmImageHas(dmModelImage(model), "pci-hotplug")) {
        g_set_error(error, DM_ERROR, DM_ERROR_UNSUPPORTED, _("stubdomain image '%s' has no PCI hotplug"),
                    dmModelOptions(model)->image);
        return FALSE;
    }
    if (dmPciFind(dmModelPci(model), id) || dmPciFindAddress(dmModelPci(model), address)) {
        /* NOT_FOUND: nothing is to be taken from the stubdomain */
        g_set_error(error, DM_ERROR, DM_ERROR_NOT_FOUND, _("there is a device '%s' already"), id);
        return FALSE;
    }
    return dmPciBackendCheck(dmModelStore(model), dmStubdomainDomid(dmModelStubdomain(model)), address,
                             !dmModelOptions(model)->pciResetOptional,
                             dmImageHas(dmModelImage(model), "pci-virtual-address"), error);
}

static void
deviceAdd(DmQmpRequest *request, JsonObject *arguments, DmModel *model, gboolean libxl)
{
    g_autofree char *address = dmPciAddress(getString(arguments, "hostaddr"));
    g_autofree char *parameter = insertParameter(arguments, address);
    DmChannel *channel = getChannel(model, request);
    guint timeout = dmModelOptions(model)->commandTimeout * 1000;
    g_autoptr(GError) error = NULL;
    PciCall *call;

    if (!channel) {
        return;
    }
    if (!parameter) {
        dmQmpRequestFail(request, "GenericError",
                         _("device_add takes a 'xen-pci-passthrough' with 'id', 'hostaddr' and perhaps 'addr'"));
        return;
    }
    call = g_new0(PciCall, 1);
    call->model = model;
    call->request = request;
    call->id = g_strdup(getString(arguments, "id"));
    call->address = g_steal_pointer(&address);
    call->libxl = libxl;
    if (!checkInsert(model, call->id, call->address, &error)) {
        undoInsert(call, error);
        return;
    }
    call->inserting = TRUE;
    dmModelPci(model)->inserting++;
    dmChannelSend(channel, STUBDOM_COMMAND_PCI_INSERT, parameter, libxl ? MIN(timeout, LIBXL_PATIENCE) : timeout,
                  inserted, call);
}

void
dmCommandDeviceAdd(DmQmpRequest *request, JsonObject *arguments, gpointer opaque)
{
    deviceAdd(request, arguments, opaque, FALSE);
}

void
dmCommandDeviceAddLibxl(DmQmpRequest *request, JsonObject *arguments, gpointer opaque)
{
    deviceAdd(request, arguments, opaque, TRUE);
}

/* --- device_del --------------------------------------------------------------- */

static void
removed(const GError *error, guint8 devfn, gpointer opaque)
{
    PciCall *call = opaque;

    if (error) {
        JsonObject *data = json_object_new();

        json_object_set_string_member(data, "device", call->id);
        json_object_set_string_member(data, "path", "");
        dmModelEvent(call->model, "DEVICE_UNPLUG_GUEST_ERROR", data);
        dmQmpRequestFail(call->request, "GenericError", _("PCI device %s was not removed: %s"), call->address,
                         error->message);
    } else {
        deleted(call->model, call->id);
        dmQmpRequestReturn(call->request, NULL);
    }
    callFree(call);
}

void
dmCommandDeviceDel(DmQmpRequest *request, JsonObject *arguments, gpointer opaque)
{
    DmModel *model = opaque;
    const char *id = getString(arguments, "id");
    DmPciDevice *device = id ? dmPciFind(dmModelPci(model), id) : NULL;
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

/* --- query-pci ---------------------------------------------------------------- */
void
dmCommandQueryPci(DmQmpRequest *request, JsonObject *arguments, gpointer opaque)
{
    DmModel *model = opaque;
    GPtrArray *array = dmModelPci(model)->devices;
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

void
dmCommandQueryPciLibxl(DmQmpRequest *request, JsonObject *arguments, gpointer opaque)
{
    DmPci *pci = dmModelPci(opaque);

    if (pci->refused != dmQmpRequestClient(request)) {
        dmCommandQueryPci(request, arguments, opaque);
        return;
    }
    pci->refused = 0;
    dmQmpRequestFail(request, "GenericError", "%s", pci->why);
}

guint
dmCommandsPciCount(DmModel *model)
{
    const DmPci *pci = dmModelPci(model);

    return pci->devices->len + pci->inserting;
}
