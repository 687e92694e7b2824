/*
 * A PCI device on its way to the stubdomain, see the header
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * QEMU before 9.1 does not know that it runs in a stubdomain, and takes one
 * address for its sysfs and for hypercalls, where Xen takes it for the host's:
 * with virtual addresses it maps another device's interrupts, or none. So such
 * an image needs xen-pciback in passthrough mode, which keeps addresses.
 * Taking a device back is a thread's: see the header.
 */

#include "config.h"

#include "dm_pci_backend.h"

#include <stdio.h>

#include <gio/gio.h>
#include <glib/gi18n-lib.h>

#include "dm_error.h"
#include "dm_pci.h"
#include "host/host_pci.h"
#include "protocol/stubdom_paths.h"

/* A bus has 32 slots of 8 functions. */
#define DEVICES_MAX 256U

static char *
readNode(DmStore *store, const char *directory, const char *name, guint index)
{
    g_autofree char *path = g_strdup_printf("%s/%s-%u", directory, name, index);

    return dmStoreRead(store, path, NULL, NULL);
}

/* Finds the device's address in the stubdomain: what xen-pciback wrote. */
static char *
findVirtual(DmStore *store, guint stubdomain, const char *address, GError **error)
{
    g_autofree char *directory = stubdomPathPciBackend(stubdomain);

    for (guint i = 0; i < DEVICES_MAX; i++) {
        g_autofree char *device = readNode(store, directory, "dev", i);

        if (device && g_str_equal(device, address)) {
            g_autofree char *text = readNode(store, directory, "vdev", i);
            g_autofree char *there = dmPciAddress(text);

            if (there) {
                return g_steal_pointer(&there);
            }
            g_set_error(error, DM_ERROR, DM_ERROR_NOT_FOUND,
                        _("xen-pciback has not given PCI device %s to stubdomain %u: there is no '%s/vdev-%u'"),
                        address, stubdomain, directory, i);
            return NULL;
        }
    }
    g_set_error(error, DM_ERROR, DM_ERROR_NOT_FOUND,
                _("stubdomain %u was not given PCI device %s: it is none of the devices in '%s'"), stubdomain, address,
                directory);
    return NULL;
}

gboolean
dmPciBackendCheck(DmStore *store, guint stubdomain, const char *address, gboolean needReset, gboolean virtualAllowed,
                  GError **error)
{
    g_autofree char *text = NULL;
    g_autofree char *there = NULL;
    guint needs = HOST_PCI_MUST_BE_BOUND | (needReset ? HOST_PCI_MUST_RESET : 0U);
    HostPciProblem problem = hostPciCheck(g_getenv("STUBDOM_SYSFS"), address, needs, &text);

    if (problem == HOST_PCI_NO_RESET) {
        g_set_error(error, DM_ERROR, DM_ERROR_UNSUPPORTED, _("%s; '-stubdom pci-reset=optional' allows it"), text);
        return FALSE;
    }
    if (problem != HOST_PCI_USABLE) {
        g_set_error_literal(error, DM_ERROR, DM_ERROR_UNSUPPORTED, text);
        return FALSE;
    }
    there = findVirtual(store, stubdomain, address, error);
    if (!there) {
        return FALSE;
    }
    if (!virtualAllowed && !g_str_equal(there, address)) {
        g_set_error(error, DM_ERROR, DM_ERROR_UNSUPPORTED,
                    _("PCI device %s has the address %s in the stubdomain, where the image's QEMU needs the host's: "
                      "xen-pciback must be loaded with 'passthrough=1' (in /etc/modprobe.d: 'options xen-pciback "
                      "passthrough=1')"),
                    address, there);
        return FALSE;
    }
    return TRUE;
}

static gboolean
fillDevice(libxl_device_pci *device, const char *address)
{
    unsigned int domain, bus, slot, function;

    libxl_device_pci_init(device);
    /* NOLINTNEXTLINE(cert-err34-c): dmPciAddress() made it */
    if (sscanf(address, "%4x:%2x:%2x.%1x", &domain, &bus, &slot, &function) != 4) {
        return FALSE;
    }
    device->domain = (int)domain;
    device->bus = (uint8_t)bus;
    device->dev = (uint8_t)slot;
    device->func = (uint8_t)function;
    return TRUE;
}

/* One removal, in its own thread. */
typedef struct {
    guint stubdomain; /* immutable, as is address */
    char *address;
    DmLibxlFunc func; /* main loop only, as is opaque */
    gpointer opaque;
} Removal;

static void
removalFree(gpointer data)
{
    Removal *removal = data;

    g_free(removal->address);
    g_free(removal);
}

static void
removeDevice(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    const Removal *removal = data;
    GError *error = NULL;
    g_autoptr(DmLibxl) libxl = dmLibxlOpenThread(&error);
    libxl_device_pci device;
    int rc = ERROR_INVAL;

    if (libxl && fillDevice(&device, removal->address)) {
        rc = libxl_device_pci_remove(dmLibxlContext(libxl), removal->stubdomain, &device, NULL);
        libxl_device_pci_dispose(&device);
    }
    if (libxl && rc) {
        g_autofree char *what =
            g_strdup_printf(_("take PCI device %s from stubdomain %u"), removal->address, removal->stubdomain);

        dmLibxlSetError(libxl, &error, what, rc);
    }
    if (error) {
        g_task_return_error(task, error);
    } else {
        g_task_return_boolean(task, TRUE);
    }
}

static void
deviceRemoved(GObject *source, GAsyncResult *result, gpointer opaque)
{
    Removal *removal = opaque;
    g_autoptr(GError) error = NULL;

    (void)g_task_propagate_boolean(G_TASK(result), &error);
    removal->func(error, removal->opaque);
}

void
dmPciBackendRemove(guint stubdomain, const char *address, DmLibxlFunc func, gpointer opaque)
{
    Removal *removal = g_new0(Removal, 1);
    g_autoptr(GTask) task = NULL;

    removal->stubdomain = stubdomain;
    removal->address = g_strdup(address);
    removal->func = func;
    removal->opaque = opaque;
    task = g_task_new(NULL, NULL, deviceRemoved, removal);
    g_task_set_task_data(task, removal, removalFree);
    g_task_run_in_thread(task, removeDevice);
}

static gboolean
removeBackend(DmStore *store, gpointer opaque, GError **error)
{
    return dmStoreRemoveBackend(store, opaque, error);
}

gboolean
dmPciBackendForget(DmStore *store, guint stubdomain, GError **error)
{
    g_autofree char *directory = stubdomPathPciBackend(stubdomain);
    g_auto(GStrv) names = dmStoreList(store, directory, error);

    if (!names) {
        return FALSE;
    }
    return !*names || dmStoreTransaction(store, removeBackend, directory, error);
}
