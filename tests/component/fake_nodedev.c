/*
 * libvirt's driver of the host's devices, as far as one in PCI is asked for
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * In the process of the driver under test (harness/driver_process.py). Whatever
 * pci_DDDD_BB_DD_F is asked for is a PCI device; every other name is a network
 * card. Whether the host has it is for the fake sysfs to say (harness/sysfs.py).
 */

#include "fake_drivers.h"

static virNodeDevicePtr
lookup(virConnectPtr conn, const char *name)
{
    return virGetNodeDevice(conn, name);
}

static char *
deviceXml(virNodeDevicePtr device, unsigned int flags)
{
    static const char *const elements[] = {"domain", "bus", "slot", "function"};
    g_auto(GStrv) parts = g_strsplit(device->name, "_", -1);
    g_autoptr(GString) xml = g_string_new(NULL);

    g_string_printf(xml, "<device><name>%s</name>", device->name);
    if (STRNEQ(parts[0], "pci") || g_strv_length(parts) != G_N_ELEMENTS(elements) + 1) {
        g_string_append(xml, "<capability type='net'><interface>eth0</interface></capability></device>");
        return g_string_free(g_steal_pointer(&xml), FALSE);
    }
    g_string_append(xml, "<capability type='pci'>");
    for (size_t i = 0; i < G_N_ELEMENTS(elements); i++) {
        g_string_append_printf(xml, "<%s>%" G_GUINT64_FORMAT "</%s>", elements[i],
                               g_ascii_strtoull(parts[i + 1], NULL, 16), elements[i]);
    }
    g_string_append(xml, "<product id='0x10d3'/><vendor id='0x8086'/></capability></device>");
    return g_string_free(g_steal_pointer(&xml), FALSE);
}

virNodeDeviceDriver fakeNodedevDriver = {
    .name = "fake",
    .nodeDeviceLookupByName = lookup,
    .nodeDeviceGetXMLDesc = deviceXml,
};
