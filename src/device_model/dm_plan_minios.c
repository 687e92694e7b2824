/*
 * Argument list of a MiniOS stubdomain
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The command line of qemu-xen-traditional, made from the typed configuration:
 * its options are older than libxl's and differ from them. Disks are not on
 * it; the device model finds them in xenstore.
 */

#include "config.h"

#include "dm_plan.h"

#include <string.h>

#include <glib/gi18n-lib.h>

#include "dm_error.h"

/* Traditional device models know 128 virtual CPUs (HVM_MAX_VCPUS), as a bit map. */
#define MINIOS_VCPUS_MAX 128U

/* MiniOS opens a name like this, for reading, as console 2 (mini-os lib/sys.c). */
#define RESTORE_PATH "/var/lib/xen/qemu-resume"

static void G_GNUC_PRINTF(3, 4) addPair(GStrvBuilder *out, const char *name, const char *format, ...)
{
    g_autofree char *value = NULL;
    va_list args;

    va_start(args, format);
    value = g_strdup_vprintf(format, args);
    va_end(args);
    g_strv_builder_add_many(out, name, value, NULL);
}

static gboolean
addVideo(GStrvBuilder *out, const DmGuest *guest, GError **error)
{
    if (guest->videoMemory) {
        addPair(out, "-videoram", "%u", guest->videoMemory);
    }
    switch (guest->vga) {
    case DM_VGA_STD:
        g_strv_builder_add(out, "-std-vga");
        break;
    case DM_VGA_NONE:
        g_strv_builder_add_many(out, "-vga", "none", NULL);
        break;
    case DM_VGA_CIRRUS:
        break; /* its default */
    case DM_VGA_OTHER:
        g_set_error(error, DM_ERROR, DM_ERROR_UNSUPPORTED,
                    _("a MiniOS stubdomain has no QXL video card: use vga=\"stdvga\" or \"cirrus\""));
        return FALSE;
    }
    return TRUE;
}

/* The virtual CPUs that are online at start, as the hexadecimal bit map the device model wants. */
static char *
vcpuMap(guint count)
{
    g_autoptr(GString) digits = g_string_new("0x");
    guint first = count % 4;

    if (first) {
        g_string_append_printf(digits, "%x", (1U << first) - 1);
    }
    for (guint i = 0; i < count / 4; i++) {
        g_string_append_c(digits, 'f');
    }
    return g_string_free(g_steal_pointer(&digits), FALSE);
}

static gboolean
addVcpus(GStrvBuilder *out, const DmGuest *guest, GError **error)
{
    g_autofree char *map = NULL;

    if (guest->vcpusMax > MINIOS_VCPUS_MAX) {
        g_set_error(error, DM_ERROR, DM_ERROR_UNSUPPORTED,
                    _("guest '%s' has %u virtual CPUs; with a MiniOS stubdomain it can have %u"), guest->name,
                    guest->vcpusMax, MINIOS_VCPUS_MAX);
        return FALSE;
    }
    if (guest->vcpusMax > 1) {
        addPair(out, "-vcpus", "%u", guest->vcpusMax);
    }
    map = vcpuMap(guest->vcpus);
    addPair(out, "-vcpu_avail", "%s", map);
    return TRUE;
}

static void
addNics(GStrvBuilder *out, const DmGuest *guest)
{
    for (guint i = 0; i < guest->nics->len; i++) {
        const DmNic *nic = g_ptr_array_index(guest->nics, i);

        addPair(out, "-net", "nic,vlan=%u,macaddr=%02x:%02x:%02x:%02x:%02x:%02x,model=%s", i, nic->mac[0], nic->mac[1],
                nic->mac[2], nic->mac[3], nic->mac[4], nic->mac[5], nic->model);
        addPair(out, "-net", "tap,vlan=%u,ifname=tap%u,script=no,downscript=no", i, i);
    }
    if (guest->nics->len == 0) {
        g_strv_builder_add_many(out, "-net", "none", NULL);
    }
}

static gboolean
addSound(GStrvBuilder *out, const DmGuest *guest, GError **error)
{
    static const struct {
        const char *device;
        const char *traditional;
    } cards[] = {{"ES1370", "es1370"}, {"AC97", "ac97"}, {"sb16", "sb16"}};

    if (!guest->soundhw) {
        return TRUE;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(cards); i++) {
        if (g_str_equal(guest->soundhw, cards[i].device)) {
            g_strv_builder_add_many(out, "-soundhw", cards[i].traditional, NULL);
            return TRUE;
        }
    }
    g_set_error(error, DM_ERROR, DM_ERROR_UNSUPPORTED, _("a MiniOS stubdomain has no sound card '%s'"), guest->soundhw);
    return FALSE;
}

static gboolean
checkDisks(const DmGuest *guest, GError **error)
{
    for (guint i = 0; i < guest->disks->len; i++) {
        const DmDisk *disk = g_ptr_array_index(guest->disks, i);

        if (disk->cdrom && !disk->path) {
            g_set_error(error, DM_ERROR, DM_ERROR_UNSUPPORTED,
                        _("CD-ROM '%s' has no medium, which a MiniOS stubdomain cannot show"), disk->vdev);
            return FALSE;
        }
    }
    return TRUE;
}

/* libxl's options that are in the typed configuration, or of which a MiniOS device model needs none. */
static const struct {
    const char *name;
    gboolean hasValue;
} miniosOptions[] = {
    {"-S", FALSE},
    {"-boot", TRUE},
    {"-chroot", TRUE},
    {"-device", TRUE},
    {"-display", TRUE},
    {"-drive", TRUE},
    {"-k", TRUE},
    {"-m", TRUE},
    {"-machine", TRUE},
    {"-name", TRUE},
    {"-net", TRUE},
    {"-netdev", TRUE},
    {"-no-acpi", FALSE},
    {"-no-shutdown", FALSE},
    {"-no-user-config", FALSE},
    {"-nodefaults", FALSE},
    {"-nographic", FALSE},
    {"-run-with", TRUE},
    {"-runas", TRUE},
    {"-serial", TRUE},
    {"-smp", TRUE},
    {"-usb", FALSE},
    {"-usbdevice", TRUE},
    {"-vnc", TRUE},
    {"-xen-domid-restrict", FALSE},
};

/* The devices of libxl that are made from the typed configuration or from the disks in xenstore. */
static const char *const miniosDevices[] = {
    "AC97",      "ES1370",     "VGA",     "cirrus-vga", "hda-duplex", "ide-cd",
    "intel-hda", "lsi53c895a", "qxl-vga", "sb16",       "scsi-hd",    NULL,
};

static gboolean
knowsDevice(const char *device)
{
    g_autofree char *driver = g_strndup(device, strcspn(device, ","));
    g_autofree char *netdev = dmOptionListGet(device, "netdev");

    return netdev || g_strv_contains(miniosDevices, driver);
}

/* Nothing of the guest is dropped in silence: what has no counterpart is refused by name. */
static gboolean
checkArguments(const DmGuest *guest, GError **error)
{
    for (char **argument = guest->arguments; *argument; argument++) {
        const char *name = *argument;
        const char *value = NULL;
        gsize i = 0;

        while (i < G_N_ELEMENTS(miniosOptions) && !g_str_equal(name, miniosOptions[i].name)) {
            i++;
        }
        if (i < G_N_ELEMENTS(miniosOptions) && !miniosOptions[i].hasValue) {
            continue;
        }
        if (argument[1] && (i < G_N_ELEMENTS(miniosOptions) || argument[1][0] != '-')) {
            value = *++argument;
        }
        if (i < G_N_ELEMENTS(miniosOptions) && value && (!g_str_equal(name, "-device") || knowsDevice(value))) {
            continue;
        }
        g_set_error(error, DM_ERROR, DM_ERROR_UNSUPPORTED,
                    _("device model option '%s%s%s' of guest '%s' is not supported with a MiniOS stubdomain"), name,
                    value ? " " : "", value ? value : "", guest->name);
        return FALSE;
    }
    return TRUE;
}

char **
dmPlanMiniosArguments(const DmGuest *guest, GError **error)
{
    g_autoptr(GStrvBuilder) out = g_strv_builder_new();

    if (!checkArguments(guest, error) || !checkDisks(guest, error)) {
        return NULL;
    }
    addPair(out, "-d", "%u", guest->domid);
    g_strv_builder_add_many(out, "-domain-name", guest->name, NULL);
    if (!guest->vnc) { /* with it the device model looks for no PV framebuffer (vl.c) */
        g_strv_builder_add(out, "-nographic");
    }
    if (guest->keymap) {
        g_strv_builder_add_many(out, "-k", guest->keymap, NULL);
    }
    for (char **serial = guest->serials; *serial; serial++) {
        g_strv_builder_add_many(out, "-serial", "pty", NULL); /* in MiniOS a pty is the next PV console */
    }
    if (!guest->serials[0]) {
        g_strv_builder_add_many(out, "-serial", "none", NULL);
    }
    if (!addVideo(out, guest, error)) {
        return NULL;
    }
    if (guest->boot) {
        g_strv_builder_add_many(out, "-boot", guest->boot, NULL);
    }
    if (guest->usb) {
        g_strv_builder_add(out, "-usb");
    }
    for (char **device = guest->usbDevices; *device; device++) {
        g_strv_builder_add_many(out, "-usbdevice", *device, NULL);
    }
    if (!addSound(out, guest, error)) {
        return NULL;
    }
    if (guest->acpi) {
        g_strv_builder_add(out, "-acpi");
    }
    if (!addVcpus(out, guest, error)) {
        return NULL;
    }
    addNics(out, guest);
    if (guest->incoming) {
        g_strv_builder_add_many(out, "-loadvm", RESTORE_PATH, NULL);
    }
    return g_strv_builder_end(out);
}
