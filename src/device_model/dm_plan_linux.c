/*
 * Argument list of a Linux stubdomain
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libxl's own command line, option by option through a table: what describes
 * the guest's hardware is kept, what names something of dom0 (files, taps,
 * character devices) is replaced by the stubdomain's, and an option with no
 * row is refused by name, so nothing of dom0 leaks in by accident.
 */

#include "config.h"

#include "dm_plan.h"

#include <string.h>

#include <glib/gi18n-lib.h>

#include "dm_error.h"
#include "protocol/stubdom_paths.h"

#define BOOT_ROMS 4U

typedef struct {
    const DmGuest *guest;
    GStrvBuilder *out;
    guint serials; /* seen so far */
    guint drives;  /* bit i: disk i has its -drive */
    guint nics;    /* seen so far */
    guint cards;   /* of them, those with their QEMU device */
} LinuxWriter;

typedef gboolean (*LinuxOptionFunc)(LinuxWriter *writer, const char *name, const char *value, GError **error);

static gboolean
keep(LinuxWriter *writer, const char *name, const char *value, GError **error)
{
    g_strv_builder_add(writer->out, name);
    if (value) {
        g_strv_builder_add(writer->out, value);
    }
    return TRUE;
}

static gboolean
drop(LinuxWriter *writer, const char *name, const char *value, GError **error)
{
    return TRUE;
}

static gboolean
refuse(LinuxWriter *writer, const char *name, const char *value, GError **error)
{
    g_set_error(error, DM_ERROR, DM_ERROR_UNSUPPORTED,
                _("device model option '%s%s%s' of guest '%s' is not supported with a stubdomain"), name,
                value ? " " : "", value ? value : "", writer->guest->name);
    return FALSE;
}

static gboolean
refuseKernel(LinuxWriter *writer, const char *name, const char *value, GError **error)
{
    g_set_error(error, DM_ERROR, DM_ERROR_UNSUPPORTED,
                _("guest '%s' boots the kernel '%s' of dom0 directly, which its stubdomain cannot read: boot it from "
                  "a disk, CD-ROM or the network"),
                writer->guest->name, value);
    return FALSE;
}

static gboolean
keepNone(LinuxWriter *writer, const char *name, const char *value, GError **error)
{
    return g_str_equal(value, "none") ? keep(writer, name, value, error) : refuse(writer, name, value, error);
}

/* A name is an option list to QEMU: one with a comma must not become options. */
static gboolean
translateName(LinuxWriter *writer, const char *name, const char *value, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(value, ",", -1);
    g_autofree char *doubled = g_strjoinv(",,", parts);
    g_autofree char *translated = g_strdup_printf("guest=%s", doubled);

    return keep(writer, name, translated, error);
}

/* QEMU 9 has dropped the option; all that are of use here know its longer form, and put several -machine together. */
static gboolean
translateNoAcpi(LinuxWriter *writer, const char *name, const char *value, GError **error)
{
    g_strv_builder_add(writer->out, "-machine");
    g_strv_builder_add(writer->out, "acpi=off");
    return TRUE;
}

/* Where the stubdomain has the serial port: the console of the same number. */
static gboolean
translateSerial(LinuxWriter *writer, const char *name, const char *value, GError **error)
{
    g_autofree char *device = g_strdup_printf("/dev/hvc%u", STUBDOM_CONSOLE_SERIAL + writer->serials++);

    return keep(writer, name, device, error);
}

/*
 * QEMU puts each card's boot ROM, 256 KiB, into memory of the guest that libxl gives it beyond the guest's own: 1 MiB
 * (LIBXL_MAXMEM_CONSTANT). With a fifth ROM it ends with "failed to populate ram".
 */
static gboolean
translateDevice(LinuxWriter *writer, const char *name, const char *value, GError **error)
{
    g_autofree char *translated = NULL;

    if (strstr(value, ",netdev=") && writer->cards++ >= BOOT_ROMS) {
        translated = g_strdup_printf("%s,romfile=", value);
    }
    return keep(writer, name, translated ? translated : value, error);
}

static gboolean
translateNetdev(LinuxWriter *writer, const char *name, const char *value, GError **error)
{
    g_autofree char *id = dmOptionListGet(value, "id");
    g_autofree char *type = dmOptionListGet(value, "type");
    g_autofree char *translated = NULL;

    if (g_strcmp0(type, "tap") != 0 || !id) {
        return refuse(writer, name, value, error);
    }
    translated = g_strdup_printf("type=tap,id=%s,ifname=tap%u,script=no,downscript=no", id, writer->nics++);
    return keep(writer, name, translated, error);
}

/* The number behind @prefix in @text. */
static gboolean
numberBehind(const char *text, const char *prefix, guint *number)
{
    guint64 wide = 0;

    if (!g_str_has_prefix(text, prefix) ||
        !g_ascii_string_to_unsigned(text + strlen(prefix), 10, 0, G_MAXINT, &wide, NULL)) {
        return FALSE;
    }
    *number = (guint)wide;
    return TRUE;
}

/* A device's Xen number (xen-vbd-interface.7): hda 768, hdb 832, hdc 5632, hdd 5696, xvdX 202 << 8 | X << 4. */
static gboolean
unitOfXenNumber(guint number, DmDiskBus *bus, guint *unit)
{
    switch (number >> 8) {
    case 8:
        *bus = DM_DISK_BUS_SCSI;
        *unit = (number & 0xff) >> 4;
        return TRUE;
    case 202:
        *unit = (number & 0xff) >> 4;
        return TRUE;
    case 3:
    case 22:
        *unit = (number >> 8 == 22 ? 2 : 0) + ((number & 0xff) >> 6);
        return TRUE;
    default:
        return FALSE;
    }
}

/* The unit a -drive of libxl is for: index= of an IDE disk, or the number in its id. */
static gboolean
driveUnit(const char *value, DmDiskBus *bus, guint *unit)
{
    g_autofree char *index = dmOptionListGet(value, "index");
    g_autofree char *id = dmOptionListGet(value, "id");
    guint number = 0;

    *bus = DM_DISK_BUS_IDE;
    if (index) {
        return numberBehind(index, "", unit);
    }
    if (!id) {
        return FALSE;
    }
    if (numberBehind(id, "scsi0-hd", unit)) {
        *bus = DM_DISK_BUS_SCSI;
        return TRUE;
    }
    return numberBehind(id, "ahcidisk-", unit) ||
           (numberBehind(id, "ide-", &number) && unitOfXenNumber(number, bus, unit));
}

static gboolean
findDisk(LinuxWriter *writer, const char *value, guint *position)
{
    DmDiskBus bus;
    guint unit = 0;

    if (!driveUnit(value, &bus, &unit)) {
        return FALSE;
    }
    for (guint i = 0; i < writer->guest->disks->len && i < DM_PLAN_DISKS_MAX; i++) {
        const DmDisk *disk = g_ptr_array_index(writer->guest->disks, i);

        /* A CD-ROM is on IDE whatever its name, so its bus is not looked at. */
        if (disk->unit == unit && (disk->bus == bus || disk->cdrom) && !(writer->drives & (1U << i))) {
            writer->drives |= 1U << i;
            *position = i;
            return TRUE;
        }
    }
    return FALSE;
}

/* @value with file= and format= replaced; everything else is the emulated drive's and stays. */
static char *
rewriteDrive(const char *value, const char *device)
{
    g_auto(GStrv) items = g_strsplit(value, ",", -1);
    g_autoptr(GString) out = g_string_new(NULL);

    for (char **item = items; *item; item++) {
        if (g_str_has_prefix(*item, "file=")) {
            g_string_append_printf(out, "%sfile=%s", out->len ? "," : "", device);
        } else if (g_str_has_prefix(*item, "format=")) {
            g_string_append_printf(out, "%sformat=host_device", out->len ? "," : "");
        } else {
            g_string_append_printf(out, "%s%s", out->len ? "," : "", *item);
        }
    }
    return g_string_free(g_steal_pointer(&out), FALSE);
}

static gboolean
translateDrive(LinuxWriter *writer, const char *name, const char *value, GError **error)
{
    g_autofree char *file = dmOptionListGet(value, "file");
    g_autofree char *device = NULL;
    g_autofree char *translated = NULL;
    guint position = 0;

    if (!file) {
        return keep(writer, name, value, error); /* no medium */
    }
    if (!findDisk(writer, value, &position)) {
        g_set_error(error, DM_ERROR, DM_ERROR_ARGUMENT,
                    _("the emulated drive '%s' is none of the disks libxl attached to guest '%s'"), value,
                    writer->guest->name);
        return FALSE;
    }
    device = g_strdup_printf("/dev/xvd%c", 'a' + (int)position);
    translated = rewriteDrive(value, device);
    return keep(writer, name, translated, error);
}

/* Every option libxl 4.17 to 4.22 writes, and a few a person may add that name nothing of dom0. */
static const struct {
    const char *name;
    gboolean hasValue;
    LinuxOptionFunc translate;
} linuxOptions[] = {
    {"-append", TRUE, drop},
    {"-boot", TRUE, keep},
    {"-chroot", TRUE, drop},
    {"-cpu", TRUE, keep},
    {"-device", TRUE, translateDevice},
    {"-display", TRUE, keepNone},
    {"-drive", TRUE, translateDrive},
    {"-global", TRUE, keep},
    {"-initrd", TRUE, drop},
    {"-k", TRUE, drop}, /* keys are known by their place here; what a symbol means is for the viewer's side */
    {"-kernel", TRUE, refuseKernel},
    {"-m", TRUE, keep},
    {"-machine", TRUE, keep},
    {"-name", TRUE, translateName},
    {"-net", TRUE, keepNone},
    {"-netdev", TRUE, translateNetdev},
    {"-no-acpi", FALSE, translateNoAcpi},
    {"-no-shutdown", FALSE, keep},
    {"-no-user-config", FALSE, keep},
    {"-nodefaults", FALSE, keep},
    {"-nographic", FALSE, keep},
    {"-rtc", TRUE, keep},
    {"-run-with", TRUE, drop},
    {"-runas", TRUE, drop},
    {"-S", FALSE, drop},
    {"-serial", TRUE, translateSerial},
    {"-smbios", TRUE, keep},
    {"-smp", TRUE, keep},
    {"-usb", FALSE, keep},
    {"-usbdevice", TRUE, keep},
    {"-vnc", TRUE, drop}, /* served in dom0; the stubdomain has a PV framebuffer if it is to show anything */
    {"-xen-domid-restrict", FALSE, drop},
};

static gboolean
translateOption(LinuxWriter *writer, char ***argument, GError **error)
{
    const char *name = **argument;

    for (gsize i = 0; i < G_N_ELEMENTS(linuxOptions); i++) {
        const char *value = NULL;

        if (!g_str_equal(name, linuxOptions[i].name)) {
            continue;
        }
        if (linuxOptions[i].hasValue) {
            value = *++*argument;
            if (!value) {
                g_set_error(error, DM_ERROR, DM_ERROR_ARGUMENT, _("option '%s' has no value"), name);
                return FALSE;
            }
        }
        return linuxOptions[i].translate(writer, name, value, error);
    }
    return refuse(writer, name, (*argument)[1] && (*argument)[1][0] != '-' ? (*argument)[1] : NULL, error);
}

/* libxl does not double the commas of a path, so such a -drive cannot be taken apart. */
static gboolean
checkPaths(const DmGuest *guest, GError **error)
{
    for (guint i = 0; i < guest->disks->len; i++) {
        const DmDisk *disk = g_ptr_array_index(guest->disks, i);

        if (disk->path && strchr(disk->path, ',')) {
            g_set_error(error, DM_ERROR, DM_ERROR_UNSUPPORTED,
                        _("the path '%s' of disk '%s' has a comma, which libxl cannot tell a device model: rename it"),
                        disk->path, disk->vdev);
            return FALSE;
        }
    }
    return TRUE;
}

char **
dmPlanLinuxArguments(const DmGuest *guest, GError **error)
{
    g_autoptr(GStrvBuilder) out = g_strv_builder_new();
    g_autofree char *domid = g_strdup_printf("%u", guest->domid);
    LinuxWriter writer = {.guest = guest, .out = out};

    if (!checkPaths(guest, error)) {
        return NULL;
    }
    g_strv_builder_add_many(out, "-xen-domid", domid, NULL);
    for (char **argument = guest->arguments; *argument; argument++) {
        if (!translateOption(&writer, &argument, error)) {
            return NULL;
        }
    }
    if (guest->incoming) {
        g_autofree char *source = g_strdup_printf("fd:/dev/hvc%u", STUBDOM_CONSOLE_RESTORE);

        g_strv_builder_add_many(out, "-incoming", source, NULL);
    }
    return g_strv_builder_end(out);
}
