/*
 * Unit tests of the guest's typed configuration
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <string.h>

#include "dm_error.h"
#include "dm_guest.h"

/* The guest of a command line whose rest is @arguments. */
static DmGuest *
guestFrom(const char *const *arguments, GError **error)
{
    DmOptions options = {.domid = 3, .arguments = (char **)arguments};

    return dmGuestFromOptions(&options, error);
}

static void
testDefaults(void)
{
    const char *const arguments[] = {"-name", "guest", NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(DmGuest) guest = guestFrom(arguments, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(guest->domid, ==, 3);
    g_assert_cmpstr(guest->name, ==, "guest");
    g_assert_cmpstrv(guest->arguments, arguments);
    g_assert_cmpuint(guest->disks->len, ==, 0);
    g_assert_cmpuint(guest->nics->len, ==, 0);
    g_assert_cmpuint(g_strv_length(guest->serials), ==, 0);
    g_assert_cmpuint(g_strv_length(guest->usbDevices), ==, 0);
    g_assert_null(guest->boot);
    g_assert_null(guest->soundhw);
    g_assert_null(guest->keymap);
    g_assert_cmpint(guest->vga, ==, DM_VGA_NONE);
    g_assert_cmpuint(guest->videoMemory, ==, 0);
    g_assert_cmpuint(guest->vcpus, ==, 1);
    g_assert_cmpuint(guest->vcpusMax, ==, 1);
    g_assert_true(guest->acpi);
    g_assert_false(guest->usb);
    g_assert_false(guest->graphics);
}

static void
testEverything(void)
{
    const char *const arguments[] = {
        "-name",   "my guest",   "-vnc",     "none",       "-display",    "none",     "-k",
        "de",      "-serial",    "pty",      "-serial",    "null",        "-device",  "VGA,vgamem_mb=16",
        "-boot",   "order=dc",   "-usb",     "-usbdevice", "tablet",      "-device",  "intel-hda",
        "-device", "hda-duplex", "-no-acpi", "-smp",       "2,maxcpus=4", "-machine", "xenfv,suppress-vmdesc=on",
        "-m",      "248",        NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(DmGuest) guest = guestFrom(arguments, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(guest->name, ==, "my guest");
    g_assert_cmpstr(guest->keymap, ==, "de");
    g_assert_cmpstrv(guest->serials, ((const char *const[]){"pty", "null", NULL}));
    g_assert_cmpint(guest->vga, ==, DM_VGA_STD);
    g_assert_cmpuint(guest->videoMemory, ==, 16);
    g_assert_cmpstr(guest->boot, ==, "dc");
    g_assert_true(guest->usb);
    g_assert_cmpstrv(guest->usbDevices, ((const char *const[]){"tablet", NULL}));
    g_assert_cmpstr(guest->soundhw, ==, "intel-hda");
    g_assert_false(guest->acpi);
    g_assert_cmpuint(guest->vcpus, ==, 2);
    g_assert_cmpuint(guest->vcpusMax, ==, 4);
    g_assert_false(guest->graphics);
}

/* -device and -netdev meet in their id, whatever stands between them. */
static void
testNics(void)
{
    const char *const arguments[] = {"-name",   "g",
                                     "-device", "rtl8139,id=nic0,netdev=net0,mac=00:16:3e:00:00:01",
                                     "-device", "e1000,id=nic2,netdev=net2,mac=FE:ff:FF:ff:ff:FF",
                                     "-netdev", "type=tap,id=net2,ifname=vif3.2-emu,br=xenbr1,script=no",
                                     "-netdev", "type=tap,id=net0,ifname=vif3.0-emu,br=xenbr0,script=no",
                                     NULL};
    const guint8 macs[2][6] = {{0, 0x16, 0x3e, 0, 0, 1}, {0xfe, 0xff, 0xff, 0xff, 0xff, 0xff}};
    g_autoptr(GError) error = NULL;
    g_autoptr(DmGuest) guest = guestFrom(arguments, &error);
    const DmNic *nic;

    g_assert_no_error(error);
    g_assert_cmpuint(guest->nics->len, ==, 2);
    nic = g_ptr_array_index(guest->nics, 0);
    g_assert_cmpuint(nic->index, ==, 0);
    g_assert_cmpstr(nic->model, ==, "rtl8139");
    g_assert_cmpstr(nic->bridge, ==, "xenbr0");
    g_assert_cmpmem(nic->mac, 6, macs[0], 6);
    nic = g_ptr_array_index(guest->nics, 1);
    g_assert_cmpuint(nic->index, ==, 2);
    g_assert_cmpstr(nic->model, ==, "e1000");
    g_assert_cmpstr(nic->bridge, ==, "xenbr1");
    g_assert_cmpmem(nic->mac, 6, macs[1], 6);
}

static void
testGraphics(void)
{
    static const char *const options[][2] = {{"-display", "sdl"}, {"-display", "gtk"}, {"-spice", "port=6000"}};

    for (gsize i = 0; i < G_N_ELEMENTS(options); i++) {
        const char *const arguments[] = {"-name", "g", options[i][0], options[i][1], "-display", "none", NULL};
        g_autoptr(GError) error = NULL;
        g_autoptr(DmGuest) guest = guestFrom(arguments, &error);

        g_assert_no_error(error);
        g_assert_true(guest->graphics);
        g_assert_false(guest->vnc);
    }
}

static void
testVnc(void)
{
    static const struct {
        const char *value;
        gboolean vnc;
    } cases[] = {{"127.0.0.1:0,to=99", TRUE}, {"127.0.0.1:3,password=on", TRUE}, {"none", FALSE}};

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *const arguments[] = {"-name", "g", "-vnc", cases[i].value, "-display", "none", NULL};
        g_autoptr(GError) error = NULL;
        g_autoptr(DmGuest) guest = guestFrom(arguments, &error);

        g_assert_no_error(error);
        g_assert_cmpint(guest->vnc, ==, cases[i].vnc);
        g_assert_false(guest->graphics);
    }
}

static void
testRefused(void)
{
    static const struct {
        const char *arguments[5];
        const char *says;
    } cases[] = {
        {{"-m", "248"}, "-name"},
        {{"-name"}, "-name"},
        {{"-name", "g", "-smp"}, "-smp"},
        {{"-name", "g", "-smp", "0"}, "0"},
        {{"-name", "g", "-smp", "x"}, "x"},
        {{"-name", "g", "-smp", "4097"}, "4097"},
        {{"-name", "g", "-smp", "maxcpus=4"}, "maxcpus=4"},
        {{"-name", "g", "-smp", "4,maxcpus=2"}, "4,maxcpus=2"},
        {{"-name", "g", "-netdev", "user,id=x"}, "user,id=x"},
        {{"-name", "g", "-netdev", "tap"}, "tap"},
        {{"-name", "g", "-netdev", "tap,id=net256"}, "net256"},
        {{"-name", "g", "-device", "e1000,netdev=net0"}, "MAC"},
        {{"-name", "g", "-device", "e1000,netdev=net0,mac=00:16:3e:00:00"}, "00:16:3e:00:00"},
        {{"-name", "g", "-device", "e1000,netdev=net0,mac=00:16:3e:00:00:01:02"}, "01:02"},
        {{"-name", "g", "-device", "e1000,netdev=net0,mac=00:16:3e:00:00:-1"}, "-1"},
        {{"-name", "g", "-device", "e1000,netdev=net0,mac=00: 1:3e:00:00:01"}, "00: 1"},
        {{"-name", "g", "-device", "e1000,netdev=net0,mac=00:0x:3e:00:00:01"}, "0x"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(DmGuest) guest = guestFrom(cases[i].arguments, &error);

        g_test_message("%s", cases[i].says);
        g_assert_null(guest);
        g_assert_error(error, DM_ERROR, DM_ERROR_ARGUMENT);
        g_assert_nonnull(strstr(error->message, cases[i].says));
    }
}

static void
testDisks(void)
{
    static const struct {
        const char *vdev;
        DmDiskBus bus;
        guint unit;
    } cases[] = {
        {"hda", DM_DISK_BUS_IDE, 0},   {"hdd", DM_DISK_BUS_IDE, 3},    {"xvda", DM_DISK_BUS_IDE, 0},
        {"xvdz", DM_DISK_BUS_IDE, 25}, {"xvdaa", DM_DISK_BUS_IDE, 26}, {"xvdba", DM_DISK_BUS_IDE, 52},
        {"sda", DM_DISK_BUS_SCSI, 0},  {"sdc", DM_DISK_BUS_SCSI, 2},   {"xvda1", DM_DISK_BUS_IDE, 0},
        {"d0p0", DM_DISK_BUS_IDE, 0},  {"d5p2", DM_DISK_BUS_IDE, 5},   {"hda15", DM_DISK_BUS_IDE, 0},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(DmDisk) disk = dmDiskNew(cases[i].vdev, &error);

        g_assert_no_error(error);
        g_assert_cmpstr(disk->vdev, ==, cases[i].vdev);
        g_assert_cmpint(disk->bus, ==, cases[i].bus);
        g_assert_cmpuint(disk->unit, ==, cases[i].unit);
    }
}

static void
testDisksRefused(void)
{
    static const char *const bad[] = {"",        "hd",    "sd",    "xvd",    "hdA",   "xvd1",    "vda",
                                      "fda",     "hda/b", "d0",    "d0p",    "dp0",   "d0p0x",   "d16384p0",
                                      "xvdabcd", "d-1p0", "d 0p0", "xvda1x", "hda,x", "xvda ../"};

    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(DmDisk) disk = dmDiskNew(bad[i], &error);

        g_test_message("'%s'", bad[i]);
        g_assert_null(disk);
        g_assert_error(error, DM_ERROR, DM_ERROR_ARGUMENT);
    }
}

/* The numbers of xen-vbd-interface.7. */
static void
testDiskNumbers(void)
{
    static const struct {
        const char *vdev;
        guint number;
    } cases[] = {
        {"hda", 768},    {"hdb", 832},    {"hdc", 5632}, {"hdd", 5696},       {"xvda", 51712},
        {"xvdb", 51728}, {"xvdp", 51952}, {"sdc", 2080}, {"xvdq", 268439552}, {"xvdz", 268441856},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(DmDisk) disk = dmDiskNew(cases[i].vdev, NULL);

        g_assert_cmpuint(dmDiskNumber(disk), ==, cases[i].number);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/guest/defaults", testDefaults);
    g_test_add_func("/guest/everything", testEverything);
    g_test_add_func("/guest/nics", testNics);
    g_test_add_func("/guest/disk-numbers", testDiskNumbers);
    g_test_add_func("/guest/graphics", testGraphics);
    g_test_add_func("/guest/vnc", testVnc);
    g_test_add_func("/guest/refused", testRefused);
    g_test_add_func("/guest/disks", testDisks);
    g_test_add_func("/guest/disks-refused", testDisksRefused);
    return g_test_run();
}
