/*
 * What the guest's configuration says about its device model
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One function for each option of libxl's command line that has a typed form,
 * in a table. Options without a row stay only in `arguments`; whether they can
 * be served is the planner's question.
 */

#include "config.h"

#include "dm_guest.h"

#include <string.h>

#include <glib/gi18n-lib.h>

#include "dm_error.h"

/* While the command line is read: NICs come as two options that meet in an id. */
typedef struct {
    DmGuest *guest;
    GStrvBuilder *serials;
    GStrvBuilder *usbDevices;
} GuestReader;

typedef gboolean (*GuestOptionFunc)(GuestReader *reader, const char *value, GError **error);

static void
nicFree(gpointer data)
{
    DmNic *nic = data;

    g_free(nic->model);
    g_free(nic->bridge);
    g_free(nic->script);
    g_free(nic);
}

/* The NIC with number @index, made if it is not there. */
static DmNic *
nicGet(DmGuest *guest, guint index)
{
    DmNic *nic;

    for (guint i = 0; i < guest->nics->len; i++) {
        nic = g_ptr_array_index(guest->nics, i);
        if (nic->index == index) {
            return nic;
        }
    }
    nic = g_new0(DmNic, 1);
    nic->index = index;
    g_ptr_array_add(guest->nics, nic);
    return nic;
}

/* The number behind @prefix in @id ("net3"); G_MAXUINT if it is not of that form. */
static guint
idNumber(const char *id, const char *prefix)
{
    guint64 number = 0;

    if (!id || !g_str_has_prefix(id, prefix) ||
        !g_ascii_string_to_unsigned(id + strlen(prefix), 10, 0, 255, &number, NULL)) {
        return G_MAXUINT;
    }
    return (guint)number;
}

static gboolean
parseMac(const char *text, guint8 mac[6], GError **error)
{
    const char *p = text ? text : "";
    int i = 0;

    for (; i < 6 && g_ascii_isxdigit(p[0]) && g_ascii_isxdigit(p[1]) && p[2] == (i < 5 ? ':' : '\0'); i++, p += 3) {
        mac[i] = (guint8)(g_ascii_xdigit_value(p[0]) * 16 + g_ascii_xdigit_value(p[1]));
    }
    if (i == 6) {
        return TRUE;
    }
    g_set_error(error, DM_ERROR, DM_ERROR_ARGUMENT, _("'%s' is not the MAC address of a NIC"), text ? text : "");
    return FALSE;
}

static gboolean
readVga(GuestReader *reader, const char *device, DmVga vga)
{
    g_autofree char *memory = dmOptionListGet(device, "vgamem_mb");
    guint64 number = 0;

    reader->guest->vga = vga;
    if (memory && g_ascii_string_to_unsigned(memory, 10, 0, 1024, &number, NULL)) {
        reader->guest->videoMemory = (guint)number;
    }
    return TRUE;
}

static gboolean
readDevice(GuestReader *reader, const char *value, GError **error)
{
    g_autofree char *driver = g_strndup(value, strcspn(value, ","));
    g_autofree char *netdev = dmOptionListGet(value, "netdev");
    guint index = idNumber(netdev, "net");

    if (index != G_MAXUINT) {
        g_autofree char *mac = dmOptionListGet(value, "mac");
        DmNic *nic = nicGet(reader->guest, index);

        g_free(nic->model);
        nic->model = g_steal_pointer(&driver);
        return parseMac(mac, nic->mac, error);
    }
    if (g_str_equal(driver, "VGA")) {
        return readVga(reader, value, DM_VGA_STD);
    }
    if (g_str_equal(driver, "cirrus-vga")) {
        return readVga(reader, value, DM_VGA_CIRRUS);
    }
    if (g_str_equal(driver, "qxl-vga")) {
        return readVga(reader, value, DM_VGA_OTHER);
    }
    if (g_str_equal(driver, "intel-hda") || g_str_equal(driver, "AC97") || g_str_equal(driver, "ES1370") ||
        g_str_equal(driver, "sb16")) {
        g_free(reader->guest->soundhw);
        reader->guest->soundhw = g_steal_pointer(&driver);
    }
    return TRUE;
}

static gboolean
readNetdev(GuestReader *reader, const char *value, GError **error)
{
    g_autofree char *id = dmOptionListGet(value, "id");
    g_autofree char *type = dmOptionListGet(value, "type");
    guint index = idNumber(id, "net");

    if (index == G_MAXUINT || g_strcmp0(type, "tap") != 0) {
        g_set_error(error, DM_ERROR, DM_ERROR_ARGUMENT, _("'-netdev %s' is none of libxl's"), value);
        return FALSE;
    }
    g_free(nicGet(reader->guest, index)->bridge);
    nicGet(reader->guest, index)->bridge = dmOptionListGet(value, "br");
    return TRUE;
}

static gboolean
readSmp(GuestReader *reader, const char *value, GError **error)
{
    g_autofree char *online = g_strndup(value, strcspn(value, ","));
    g_autofree char *max = dmOptionListGet(value, "maxcpus");
    guint64 number = 0;
    guint64 numberMax = 0;

    if (!g_ascii_string_to_unsigned(online, 10, 1, 4096, &number, NULL) ||
        (max && !g_ascii_string_to_unsigned(max, 10, number, 4096, &numberMax, NULL))) {
        g_set_error(error, DM_ERROR, DM_ERROR_ARGUMENT, _("'-smp %s' names no number of virtual CPUs"), value);
        return FALSE;
    }
    reader->guest->vcpus = (guint)number;
    reader->guest->vcpusMax = (guint)(max ? numberMax : number);
    return TRUE;
}

static gboolean
readName(GuestReader *reader, const char *value, GError **error)
{
    g_free(reader->guest->name);
    reader->guest->name = g_strdup(value);
    return TRUE;
}

static gboolean
readSerial(GuestReader *reader, const char *value, GError **error)
{
    g_strv_builder_add(reader->serials, value);
    return TRUE;
}

static gboolean
readBoot(GuestReader *reader, const char *value, GError **error)
{
    g_free(reader->guest->boot);
    reader->guest->boot = dmOptionListGet(value, "order");
    return TRUE;
}

static gboolean
readKeymap(GuestReader *reader, const char *value, GError **error)
{
    g_free(reader->guest->keymap);
    reader->guest->keymap = g_strdup(value);
    return TRUE;
}

static gboolean
readUsbDevice(GuestReader *reader, const char *value, GError **error)
{
    g_strv_builder_add(reader->usbDevices, value);
    return TRUE;
}

static gboolean
readVnc(GuestReader *reader, const char *value, GError **error)
{
    reader->guest->vnc = !g_str_equal(value, "none");
    return TRUE;
}

static gboolean
readDisplay(GuestReader *reader, const char *value, GError **error)
{
    if (!g_str_equal(value, "none")) {
        reader->guest->graphics = TRUE;
    }
    return TRUE;
}

static gboolean
readNoAcpi(GuestReader *reader, const char *value, GError **error)
{
    reader->guest->acpi = FALSE;
    return TRUE;
}

static gboolean
readUsb(GuestReader *reader, const char *value, GError **error)
{
    reader->guest->usb = TRUE;
    return TRUE;
}

/* acpi=off of newer libxls, which have no -no-acpi any more. */
static gboolean
readMachine(GuestReader *reader, const char *value, GError **error)
{
    g_autofree char *acpi = dmOptionListGet(value, "acpi");

    if (g_strcmp0(acpi, "off") == 0) {
        reader->guest->acpi = FALSE;
    }
    return TRUE;
}

static const struct {
    const char *name;
    gboolean hasValue;
    GuestOptionFunc read;
} guestOptions[] = {
    {"-name", TRUE, readName},       {"-device", TRUE, readDevice},       {"-netdev", TRUE, readNetdev},
    {"-serial", TRUE, readSerial},   {"-boot", TRUE, readBoot},           {"-smp", TRUE, readSmp},
    {"-k", TRUE, readKeymap},        {"-usbdevice", TRUE, readUsbDevice}, {"-vnc", TRUE, readVnc},
    {"-display", TRUE, readDisplay}, {"-spice", TRUE, readDisplay},       {"-no-acpi", FALSE, readNoAcpi},
    {"-usb", FALSE, readUsb},        {"-machine", TRUE, readMachine},
};

static gboolean
readArguments(GuestReader *reader, char **arguments, GError **error)
{
    for (char **argument = arguments; *argument; argument++) {
        for (gsize i = 0; i < G_N_ELEMENTS(guestOptions); i++) {
            if (!g_str_equal(*argument, guestOptions[i].name)) {
                continue;
            }
            if (guestOptions[i].hasValue && !argument[1]) {
                g_set_error(error, DM_ERROR, DM_ERROR_ARGUMENT, _("option '%s' has no value"), *argument);
                return FALSE;
            }
            if (!guestOptions[i].read(reader, argument[1], error)) {
                return FALSE;
            }
            argument += guestOptions[i].hasValue ? 1 : 0;
            break;
        }
    }
    return TRUE;
}

DmGuest *
dmGuestFromOptions(const DmOptions *options, GError **error)
{
    g_autoptr(DmGuest) guest = g_new0(DmGuest, 1);
    g_autoptr(GStrvBuilder) serials = g_strv_builder_new();
    g_autoptr(GStrvBuilder) usbDevices = g_strv_builder_new();
    GuestReader reader = {.guest = guest, .serials = serials, .usbDevices = usbDevices};

    guest->domid = options->domid;
    guest->arguments = g_strdupv(options->arguments);
    guest->incoming = options->incomingFd >= 0;
    guest->disks = g_ptr_array_new_with_free_func((GDestroyNotify)dmDiskFree);
    guest->nics = g_ptr_array_new_with_free_func(nicFree);
    guest->vcpus = 1;
    guest->vcpusMax = 1;
    guest->acpi = TRUE;
    if (!readArguments(&reader, guest->arguments, error)) {
        return NULL;
    }
    guest->serials = g_strv_builder_end(serials);
    guest->usbDevices = g_strv_builder_end(usbDevices);
    if (!guest->name) {
        g_set_error(error, DM_ERROR, DM_ERROR_ARGUMENT, _("libxl passed no '-name' of the guest"));
        return NULL;
    }
    return g_steal_pointer(&guest);
}

void
dmGuestFree(DmGuest *guest)
{
    if (!guest) {
        return;
    }
    g_free(guest->name);
    g_strfreev(guest->arguments);
    g_clear_pointer(&guest->disks, g_ptr_array_unref);
    g_clear_pointer(&guest->nics, g_ptr_array_unref);
    g_strfreev(guest->serials);
    g_free(guest->boot);
    g_strfreev(guest->usbDevices);
    g_free(guest->soundhw);
    g_free(guest->keymap);
    g_free(guest);
}

/* "a" is 0, "z" 25, "aa" 26; what follows the letters is a partition. */
static gboolean
lettersToUnit(const char *letters, guint *unit)
{
    guint number = 0;
    const char *p = letters;

    for (; g_ascii_islower(*p) && p - letters < 3; p++) {
        number = number * 26 + (guint)(*p - 'a') + 1;
    }
    *unit = number - 1;
    return p > letters && strspn(p, "0123456789") == strlen(p);
}

/* "d5p2": disk 5, partition 2. */
static gboolean
numbersToUnit(const char *vdev, guint *unit)
{
    g_auto(GStrv) numbers = g_strsplit(vdev[0] == 'd' ? vdev + 1 : "", "p", 2);
    guint64 disk = 0;

    if (g_strv_length(numbers) != 2 || !g_ascii_string_to_unsigned(numbers[0], 10, 0, 16383, &disk, NULL) ||
        !g_ascii_string_to_unsigned(numbers[1], 10, 0, 255, NULL, NULL)) {
        return FALSE;
    }
    *unit = (guint)disk;
    return TRUE;
}

DmDisk *
dmDiskNew(const char *vdev, GError **error)
{
    DmDisk *disk = g_new0(DmDisk, 1);

    disk->vdev = g_strdup(vdev);
    disk->bus = g_str_has_prefix(vdev, "sd") ? DM_DISK_BUS_SCSI : DM_DISK_BUS_IDE;
    if (((g_str_has_prefix(vdev, "hd") || g_str_has_prefix(vdev, "sd")) && lettersToUnit(vdev + 2, &disk->unit)) ||
        (g_str_has_prefix(vdev, "xvd") && lettersToUnit(vdev + 3, &disk->unit)) || numbersToUnit(vdev, &disk->unit)) {
        return disk;
    }
    dmDiskFree(disk);
    g_set_error(error, DM_ERROR, DM_ERROR_ARGUMENT, _("'%s' is no virtual device name of a disk"), vdev);
    return NULL;
}

guint
dmDiskNumber(const DmDisk *disk)
{
    guint unit = disk->unit;

    if (disk->bus == DM_DISK_BUS_SCSI) {
        return 8U << 8 | unit << 4;
    }
    if (g_str_has_prefix(disk->vdev, "hd")) {
        return (unit < 2 ? 3U : 22U) << 8 | (unit % 2) << 6;
    }
    return unit < 16 ? 202U << 8 | unit << 4 : 1U << 28 | unit << 8;
}

void
dmDiskFree(DmDisk *disk)
{
    if (!disk) {
        return;
    }
    g_free(disk->vdev);
    g_free(disk->path);
    g_free(disk->format);
    g_free(disk->script);
    g_free(disk);
}
