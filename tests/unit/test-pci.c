/*
 * Unit tests of the list of PCI devices and of what they are called
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "dm_pci.h"

static void
testAddress(void)
{
    static const char *const good[][2] = {
        {"0000:00:08.0", "0000:00:08.0"},
        {"0:3:1f.7", "0000:03:1f.7"},
        {"FFFF:FF:1F.7", "ffff:ff:1f.7"},
        {"0000:00:00.00", "0000:00:00.0"}, /* as xen-pciback writes vdev-N */
    };
    static const char *const bad[] = {
        "",
        "00:08.0",
        "0000:00:20.0",
        "0000:00:08.8",
        "0000:00:08",
        "0000:00:08.0 ",
        "10000:0:0.0",
        "0000:00:08.0@8",
        "0000:00:08.0,x=1",
        "0000:00:08.000",
        "0000:00:-8.0",
        "../../etc",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autofree char *address = dmPciAddress(good[i][0]);

        g_assert_cmpstr(address, ==, good[i][1]);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_null(dmPciAddress(bad[i]));
    }
    g_assert_null(dmPciAddress(NULL));
}

static void
testSlot(void)
{
    static const char *const bad[] = {"", ".", "20", "5.8", "5.", "5.00", "x", "5 ", "-1"};
    guint devfn = 0;

    g_assert_true(dmPciSlot("6", &devfn));
    g_assert_cmpuint(devfn, ==, 0x30);
    g_assert_true(dmPciSlot("1f.7", &devfn));
    g_assert_cmpuint(devfn, ==, 0xff);
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_false(dmPciSlot(bad[i], &devfn));
    }
}

static void
testList(void)
{
    DmPci *pci = dmPciNew();

    dmPciAdd(pci, "one", "0000:00:08.0", 0x28);
    dmPciAdd(pci, "two", "0000:00:09.0", 0x30);
    g_assert_cmpuint(dmPciFind(pci, "two")->devfn, ==, 0x30);
    g_assert_cmpstr(dmPciFindAddress(pci, "0000:00:08.0")->id, ==, "one");
    dmPciRemove(pci, dmPciFind(pci, "one"));
    dmPciRemove(pci, dmPciFind(pci, "one"));
    g_assert_null(dmPciFindAddress(pci, "0000:00:08.0"));
    g_assert_nonnull(dmPciFind(pci, "two"));
    dmPciFree(pci);
    dmPciFree(NULL);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pci/address", testAddress);
    g_test_add_func("/pci/slot", testSlot);
    g_test_add_func("/pci/list", testList);
    return g_test_run();
}
