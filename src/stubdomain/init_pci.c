/*
 * PCI devices passed through, on the stubdomain's side, see the header
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "init_pci.h"

#include "init_error.h"
#include "init_log.h"
#include "init_qemu.h"

#define PCI_FRONTEND "device/pci/0"
#define PCI_SYSFS "/sys/bus/pci/devices"

/* A bus has 32 slots of 8 functions. */
#define PCI_DEVICES_MAX 256U

struct InitPci {
    InitXenstore *store;
    InitUevents *uevents;
    InitQmp *qmp;
    guint seconds;
    guint ejectSeconds;
    gboolean watchesFrontend;
    gboolean watchesBackend;

    /* The operation under way; done is NULL without one. */
    InitPciAddress address;
    char *id;          /* of the device in QEMU */
    char *here;        /* the device's address in the stubdomain */
    gboolean accepted; /* QEMU answered device_del */
    gboolean deleted;  /* DEVICE_DELETED was seen, which may come before that answer */
    GError *refusal;   /* of device_del */
    guint timer;
    InitPciDone done;
    gpointer data;
};

InitPci *
initPciNew(InitXenstore *store, InitUevents *uevents, InitQmp *qmp, guint seconds, guint ejectSeconds)
{
    InitPci *pci = g_new0(InitPci, 1);

    pci->store = store;
    pci->uevents = uevents;
    pci->qmp = qmp;
    pci->seconds = seconds;
    pci->ejectSeconds = ejectSeconds;
    return pci;
}

void
initPciFree(InitPci *pci)
{
    if (!pci)
        return;
    if (pci->timer != 0)
        g_source_remove(pci->timer);
    g_free(pci->id);
    g_free(pci->here);
    g_clear_error(&pci->refusal);
    g_free(pci);
}

static void
begin(InitPci *pci, const InitPciAddress *address, InitPciDone done, gpointer data)
{
    g_assert(!pci->done);
    pci->address = *address;
    g_free(pci->id);
    pci->id = g_strdup_printf("pci-%04x-%02x-%02x-%x", address->domain, address->bus, address->slot, address->function);
    g_clear_pointer(&pci->here, g_free);
    pci->accepted = FALSE;
    pci->deleted = FALSE;
    pci->done = done;
    pci->data = data;
}

static void
end(InitPci *pci, const GError *error, guint8 devfn)
{
    InitPciDone done = pci->done;

    if (pci->timer != 0)
        g_source_remove(pci->timer);
    pci->timer = 0;
    pci->done = NULL;
    done(error, devfn, pci->data);
}

static void
changed(gpointer data)
{
    InitPci *pci = data;

    initUeventsRecheck(pci->uevents);
}

static void
watch(InitPci *pci, gboolean *watched, const char *path)
{
    g_autoptr(GError) error = NULL;

    if (*watched)
        return;
    *watched = TRUE;
    if (!initXenstoreWatch(pci->store, path, changed, pci, &error))
        initLog("%s", error->message);
}

/* The backend says under which address pcifront shows the device: its own in passthrough mode, a virtual one otherwise.
 */
static char *
addressHere(InitPci *pci, const char *backend)
{
    g_autofree char *wanted = initPciAddressText(&pci->address);

    for (guint i = 0; i < PCI_DEVICES_MAX; i++) {
        g_autofree char *devPath = g_strdup_printf("%s/dev-%u", backend, i);
        g_autofree char *vdevPath = g_strdup_printf("%s/vdev-%u", backend, i);
        g_autofree char *dev = initXenstoreReadOptional(pci->store, devPath);

        if (!dev)
            return NULL;
        if (g_str_equal(dev, wanted)) {
            g_autofree char *vdev = initXenstoreReadOptional(pci->store, vdevPath);
            InitPciAddress here;

            return vdev && initPciAddressParse(vdev, &here, NULL) ? initPciAddressText(&here) : NULL;
        }
    }
    return NULL;
}

static gboolean
isHere(gpointer data)
{
    InitPci *pci = data;
    g_autofree char *backend = NULL;
    g_autofree char *config = NULL;

    watch(pci, &pci->watchesFrontend, PCI_FRONTEND);
    backend = initXenstoreReadOptional(pci->store, PCI_FRONTEND "/backend");
    if (!backend)
        return FALSE;
    watch(pci, &pci->watchesBackend, backend);

    g_free(pci->here);
    pci->here = addressHere(pci, backend);
    if (!pci->here)
        return FALSE;
    config = g_build_filename(PCI_SYSFS, pci->here, "config", NULL);
    return g_file_test(config, G_FILE_TEST_EXISTS);
}

/* QEMU opens the device's files in sysfs under its own user id. */
static void
giveFiles(const char *here)
{
    g_autofree char *path = g_build_filename(PCI_SYSFS, here, NULL);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name = NULL;

    while (dir && (name = g_dir_read_name(dir))) {
        if (g_str_equal(name, "config") || g_str_equal(name, "rom") || g_str_has_prefix(name, "resource")) {
            g_autofree char *file = g_build_filename(path, name, NULL);

            initQemuGive(file);
        }
    }
    initQemuGive("/dev/mem");
}

static JsonNode *
member(JsonNode *node, const char *name)
{
    return node && JSON_NODE_HOLDS_OBJECT(node) ? json_object_get_member(json_node_get_object(node), name) : NULL;
}

static JsonArray *
array(JsonNode *node)
{
    return node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
}

static gint64
number(JsonNode *node)
{
    return node && json_node_get_value_type(node) == G_TYPE_INT64 ? json_node_get_int(node) : -1;
}

gboolean
initPciFindDevice(JsonNode *buses, const char *id, guint8 *devfn)
{
    JsonArray *all = array(buses);
    JsonArray *devices = NULL;

    if (!all || json_array_get_length(all) == 0)
        return FALSE;
    devices = array(member(json_array_get_element(all, 0), "devices"));
    for (guint i = 0; devices && i < json_array_get_length(devices); i++) {
        JsonNode *device = json_array_get_element(devices, i);
        JsonNode *name = member(device, "qdev_id");
        gint64 slot = number(member(device, "slot"));
        gint64 function = number(member(device, "function"));

        if (name && json_node_get_value_type(name) == G_TYPE_STRING && g_str_equal(json_node_get_string(name), id) &&
            slot >= 0 && slot < 32 && function >= 0 && function < 8) {
            *devfn = (guint8)(slot * 8 + function);
            return TRUE;
        }
    }
    return FALSE;
}

static void
slotKnown(JsonNode *value, const GError *error, gpointer data)
{
    InitPci *pci = data;
    g_autoptr(GError) missing = NULL;
    guint8 devfn = 0;

    if (!error && !initPciFindDevice(value, pci->id, &devfn)) {
        missing = g_error_new(INIT_ERROR, INIT_ERROR_QMP, "QEMU took device %s but does not show it", pci->id);
        error = missing;
    }
    end(pci, error, devfn);
}

static void
added(JsonNode *value, const GError *error, gpointer data)
{
    InitPci *pci = data;

    if (error)
        end(pci, error, 0);
    else
        initQmpExecute(pci->qmp, "query-pci", NULL, slotKnown, pci);
}

static void
appeared(gboolean present, gpointer data)
{
    InitPci *pci = data;
    JsonObject *arguments = NULL;

    if (!present) {
        g_autofree char *text = initPciAddressText(&pci->address);
        g_autoptr(GError) error =
            g_error_new(INIT_ERROR, INIT_ERROR_TIMEOUT, "PCI device %s did not appear within %u s", text, pci->seconds);

        end(pci, error, 0);
        return;
    }

    giveFiles(pci->here);
    arguments = json_object_new();
    json_object_set_string_member(arguments, "driver", "xen-pci-passthrough");
    json_object_set_string_member(arguments, "id", pci->id);
    json_object_set_string_member(arguments, "hostaddr", pci->here);
    if (pci->address.permissive)
        json_object_set_boolean_member(arguments, "permissive", TRUE);
    if (pci->address.hasVirtual) {
        g_autofree char *addr =
            g_strdup_printf("%02x.%x", pci->address.virtualDevfn >> 3, pci->address.virtualDevfn & 7U);

        json_object_set_string_member(arguments, "addr", addr);
    }
    initQmpExecute(pci->qmp, "device_add", arguments, added, pci);
}

void
initPciInsert(InitPci *pci, const InitPciAddress *address, InitPciDone done, gpointer data)
{
    begin(pci, address, done, data);
    initUeventsAwait(pci->uevents, pci->seconds, isHere, appeared, pci);
}

static gboolean
removeExpired(gpointer data)
{
    InitPci *pci = data;
    g_autoptr(GError) error = g_error_new(INIT_ERROR, INIT_ERROR_TIMEOUT, "the guest did not let go of %s within %u s",
                                          pci->id, pci->ejectSeconds);

    pci->timer = 0;
    end(pci, error, 0);
    return G_SOURCE_REMOVE;
}

/* QEMU refused device_del. A guest that let go after the deadline of an earlier one has no such device any more. */
static void
stillThere(JsonNode *value, const GError *error, gpointer data)
{
    InitPci *pci = data;
    g_autoptr(GError) refusal = g_steal_pointer(&pci->refusal);
    guint8 devfn = 0;

    if (!error && !initPciFindDevice(value, pci->id, &devfn))
        end(pci, NULL, 0);
    else
        end(pci, refusal, 0);
}

static void
deleting(JsonNode *value, const GError *error, gpointer data)
{
    InitPci *pci = data;

    if (error) {
        pci->refusal = g_error_copy(error);
        initQmpExecute(pci->qmp, "query-pci", NULL, stillThere, pci);
        return;
    }
    pci->accepted = TRUE;
    if (pci->deleted)
        end(pci, NULL, 0);
    else
        pci->timer = g_timeout_add_seconds(pci->ejectSeconds, removeExpired, pci);
}

void
initPciRemove(InitPci *pci, const InitPciAddress *address, InitPciDone done, gpointer data)
{
    JsonObject *arguments = json_object_new();

    begin(pci, address, done, data);
    json_object_set_string_member(arguments, "id", pci->id);
    initQmpExecute(pci->qmp, "device_del", arguments, deleting, pci);
}

void
initPciEvent(InitPci *pci, const char *name, JsonNode *value)
{
    JsonNode *node = member(value, "device");
    const char *device = NULL;

    if (!g_str_equal(name, "DEVICE_DELETED"))
        return;
    if (node && json_node_get_value_type(node) == G_TYPE_STRING)
        device = json_node_get_string(node);
    if (!pci->done || g_strcmp0(device, pci->id) != 0) {
        initLog("PCI device %s left the guest by itself or late", device ? device : "without a name");
        return;
    }
    pci->deleted = TRUE;
    if (pci->accepted)
        end(pci, NULL, 0);
}
