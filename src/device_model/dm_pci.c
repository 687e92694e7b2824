/*
 * The PCI devices of a guest, see the header
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "dm_pci.h"

static void
deviceFree(gpointer data)
{
    DmPciDevice *device = data;

    g_free(device->id);
    g_free(device->address);
    g_free(device);
}

DmPci *
dmPciNew(void)
{
    DmPci *pci = g_new0(DmPci, 1);

    pci->devices = g_ptr_array_new_with_free_func(deviceFree);
    return pci;
}

void
dmPciFree(DmPci *pci)
{
    if (!pci) {
        return;
    }
    g_ptr_array_unref(pci->devices);
    g_free(pci->why);
    g_free(pci);
}

DmPciDevice *
dmPciFind(const DmPci *pci, const char *id)
{
    for (guint i = 0; i < pci->devices->len; i++) {
        DmPciDevice *device = g_ptr_array_index(pci->devices, i);

        if (g_str_equal(device->id, id)) {
            return device;
        }
    }
    return NULL;
}

DmPciDevice *
dmPciFindAddress(const DmPci *pci, const char *address)
{
    for (guint i = 0; i < pci->devices->len; i++) {
        DmPciDevice *device = g_ptr_array_index(pci->devices, i);

        if (g_str_equal(device->address, address)) {
            return device;
        }
    }
    return NULL;
}

void
dmPciAdd(DmPci *pci, const char *id, const char *address, guint8 devfn)
{
    DmPciDevice *device = g_new0(DmPciDevice, 1);

    device->id = g_strdup(id);
    device->address = g_strdup(address);
    device->devfn = devfn;
    g_ptr_array_add(pci->devices, device);
}

void
dmPciRemove(DmPci *pci, DmPciDevice *device)
{
    if (device) {
        g_ptr_array_remove(pci->devices, device);
    }
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

char *
dmPciAddress(const char *text)
{
    guint domain, bus, slot, function;
    const char *p = text ? text : "";

    if (!takeHex(&p, 4, &domain) || *p++ != ':' || !takeHex(&p, 2, &bus) || *p++ != ':' || !takeHex(&p, 2, &slot) ||
        *p++ != '.' || !takeHex(&p, 2, &function) || *p != '\0' || slot > 31 || function > 7) {
        return NULL;
    }
    return g_strdup_printf("%04x:%02x:%02x.%x", domain, bus, slot, function);
}

gboolean
dmPciSlot(const char *text, guint *devfn)
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
