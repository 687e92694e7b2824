/*
 * The planner: guest and image in, stubdomain out
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What both kinds of image share: disks, NICs, consoles, memory. Linux sees the
 * guest's disks as xvda, xvdb, … in configuration order; a MiniOS device model
 * takes the place of a disk from its name, so there the names are the guest's.
 */

#include "config.h"

#include "dm_plan.h"

#include <string.h>

#include <glib/gi18n-lib.h>
#include <json-glib/json-glib.h>

#include "dm_error.h"
#include "protocol/stubdom_args.h"

/* Of the largest picture, if nobody says another: what common monitors have. Its memory is the stubdomain's. */
#define DISPLAY_WIDTH 1920U
#define DISPLAY_HEIGHT 1200U

/* MiB of the program that shows it, and how many times the largest picture is in memory: the framebuffer, QEMU's own
 * picture of 32 bits when the guest's is of another depth, its VNC server's, and twice what that has not sent yet. */
#define DISPLAY_MEMORY 8U
#define DISPLAY_PICTURES 5U

/* Network cards the memory of a Linux image is for, and MiB for each more: rings, macvtap, the card in QEMU. */
#define NICS_INCLUDED 2U
#define NIC_MEMORY 8U

static void
planDiskFree(gpointer data)
{
    DmPlanDisk *disk = data;

    g_free(disk->vdev);
    g_free(disk->path);
    g_free(disk->script);
    g_free(disk);
}

static void
planNicFree(gpointer data)
{
    DmPlanNic *nic = data;

    g_free(nic->bridge);
    g_free(nic->script);
    g_free(nic);
}

static gboolean unsupported(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static gboolean
unsupported(GError **error, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error_literal(error, DM_ERROR, DM_ERROR_UNSUPPORTED, text);
    return FALSE;
}

/* A pixel of a PV framebuffer is 32 bits. */
static guint
displayMegabytes(const DmPlan *plan)
{
    return (plan->displayWidth * plan->displayHeight * 4 + 0xfffff) >> 20;
}

static gboolean
checkDisk(const DmDisk *disk, GError **error)
{
    if (disk->backend != 0) {
        return unsupported(error,
                           _("disk '%s' has its backend in domain %u; a guest with a stubdomain needs it in dom0"),
                           disk->vdev, disk->backend);
    }
    if (disk->format && !g_str_equal(disk->format, "raw")) {
        return unsupported(error,
                           _("disk '%s' ('%s') has the format '%s'; without a QEMU in dom0 only raw images and block "
                             "devices can be served: convert it with qemu-img convert -O raw"),
                           disk->vdev, disk->path ? disk->path : "", disk->format);
    }
    return TRUE;
}

static gboolean
planDisks(DmPlan *plan, const DmGuest *guest, GError **error)
{
    if (guest->disks->len > DM_PLAN_DISKS_MAX) {
        return unsupported(error, _("the guest has %u disks; a stubdomain can have %u"), guest->disks->len,
                           DM_PLAN_DISKS_MAX);
    }
    for (guint i = 0; i < guest->disks->len; i++) {
        const DmDisk *disk = g_ptr_array_index(guest->disks, i);
        DmPlanDisk *planned;

        if (!checkDisk(disk, error)) {
            return FALSE;
        }
        if (!disk->path) {
            continue; /* no medium, no PV disk; its letter stays free */
        }
        planned = g_new0(DmPlanDisk, 1);
        planned->vdev = plan->kind == DM_IMAGE_MINIOS ? g_strdup(disk->vdev) : g_strdup_printf("xvd%c", 'a' + (int)i);
        planned->path = g_strdup(disk->path);
        planned->script = g_strdup(disk->script);
        planned->readonly = disk->readonly || disk->cdrom;
        planned->removable = disk->cdrom;
        g_ptr_array_add(plan->disks, planned);
    }
    return TRUE;
}

static gboolean
planNics(DmPlan *plan, const DmGuest *guest, GError **error)
{
    if (guest->nics->len > DM_PLAN_NICS_MAX) {
        return unsupported(error, _("the guest has %u emulated NICs; a stubdomain can have %u"), guest->nics->len,
                           DM_PLAN_NICS_MAX);
    }
    for (guint i = 0; i < guest->nics->len; i++) {
        const DmNic *nic = g_ptr_array_index(guest->nics, i);
        DmPlanNic *planned;

        if (!nic->model) {
            g_set_error(error, DM_ERROR, DM_ERROR_ARGUMENT, _("NIC %u has a network but no emulated device"),
                        nic->index);
            return FALSE;
        }
        planned = g_new0(DmPlanNic, 1);
        planned->index = i;
        planned->bridge = g_strdup(nic->bridge);
        planned->script = g_strdup(nic->script);
        planned->rateBytes = nic->rateBytes;
        planned->rateInterval = nic->rateInterval;
        for (int j = 0; j < 6; j++) {
            planned->mac[j] = nic->mac[j];
        }
        g_ptr_array_add(plan->nics, planned);
    }
    return TRUE;
}

static gboolean
planConsoles(DmPlan *plan, const DmGuest *guest, GError **error)
{
    if (g_strv_length(guest->serials) > DM_PLAN_SERIALS_MAX) {
        return unsupported(error, _("the guest has %u serial ports; a PC has %u"), g_strv_length(guest->serials),
                           DM_PLAN_SERIALS_MAX);
    }
    plan->serials = g_strdupv(guest->serials);
    return TRUE;
}

/* "host:1.2", "disk:/path": what stands behind the colon is dom0's. */
static gboolean
checkUsb(const DmGuest *guest, GError **error)
{
    for (char **device = guest->usbDevices; *device; device++) {
        if (strchr(*device, ':')) {
            return unsupported(error,
                               _("the USB device '%s' of guest '%s' is one of dom0's, which a stubdomain cannot use"),
                               *device, guest->name);
        }
    }
    return TRUE;
}

/* A disk libxl has QEMU not emulate (xvde, say) is the guest's alone: it costs no memory of the stubdomain's, and can
 * be taken from the guest while that runs. */
static void
dropUnused(DmPlan *plan)
{
    g_autofree char *arguments = g_strjoinv(" ", plan->argv);

    for (guint i = plan->disks->len; i-- > 0;) {
        const DmPlanDisk *disk = g_ptr_array_index(plan->disks, i);
        g_autofree char *device = g_strdup_printf("file=/dev/%s", disk->vdev);

        if (!strstr(arguments, device)) {
            g_ptr_array_remove_index(plan->disks, i);
        }
    }
}

static gboolean
planDisplay(DmPlan *plan, const DmGuest *guest, const DmImage *image, GError **error)
{
    guint megabytes;
    char *commandLine;

    if (guest->graphics) {
        return unsupported(error,
                           _("guest '%s' asks for SDL or SPICE; with a stubdomain its display is seen through VNC: set "
                             "sdl=0 and spice=0, and vnc=1 for graphics"),
                           guest->name);
    }
    plan->display = guest->vnc;
    if (!guest->vnc || plan->kind == DM_IMAGE_MINIOS) {
        return TRUE; /* MiniOS always looks for a PV framebuffer and makes its memory itself */
    }
    if (!dmImageHas(image, "display")) {
        return unsupported(error,
                           _("guest '%s' asks for graphics (vnc), which the stubdomain image '%s' cannot show: its "
                             "descriptor has no capability 'display'. Build it anew, or set vnc=0"),
                           guest->name, image->name ? image->name : "");
    }
    plan->displayWidth = guest->displayWidth ? guest->displayWidth : DISPLAY_WIDTH;
    plan->displayHeight = guest->displayHeight ? guest->displayHeight : DISPLAY_HEIGHT;
    if (plan->displayWidth > DM_PLAN_DISPLAY_MAX || plan->displayHeight > DM_PLAN_DISPLAY_MAX) {
        return unsupported(error, _("guest '%s' asks for a picture of %u x %u pixels; a stubdomain shows %u x %u"),
                           guest->name, plan->displayWidth, plan->displayHeight, DM_PLAN_DISPLAY_MAX,
                           DM_PLAN_DISPLAY_MAX);
    }
    megabytes = displayMegabytes(plan);
    commandLine = g_strdup_printf("%s xen_fbfront.video=%u,%u,%u", plan->commandLine, megabytes, plan->displayWidth,
                                  plan->displayHeight);
    g_free(plan->commandLine);
    plan->commandLine = commandLine;
    return TRUE;
}

static gboolean
planArguments(DmPlan *plan, const DmGuest *guest, GError **error)
{
    g_autofree char *encoded = NULL;

    if (!checkUsb(guest, error)) {
        return FALSE;
    }
    if (plan->kind == DM_IMAGE_LINUX) {
        plan->argv = dmPlanLinuxArguments(guest, error);
        if (!plan->argv || !stubdomArgsCheckDmArgv((const char *const *)plan->argv, error)) {
            return FALSE;
        }
        dropUnused(plan);
        return TRUE;
    }
    plan->argv = dmPlanMiniosArguments(guest, error);
    encoded = plan->argv ? stubdomArgsEncodeDmargs((const char *const *)plan->argv, error) : NULL;
    return encoded != NULL;
}

static guint
defaultMemory(const DmPlan *plan, const DmImage *image)
{
    guint memory = image->memory;

    if (image->kind == DM_IMAGE_LINUX && plan->nics->len > NICS_INCLUDED) {
        memory += (plan->nics->len - NICS_INCLUDED) * NIC_MEMORY;
    }
    if (plan->displayWidth) {
        memory += DISPLAY_MEMORY + DISPLAY_PICTURES * displayMegabytes(plan);
    }
    return memory;
}

DmPlan *
dmPlanMake(const DmGuest *guest, const DmImage *image, const DmOptions *options, GError **error)
{
    g_autoptr(DmPlan) plan = g_new0(DmPlan, 1);

    plan->name = g_strdup_printf("%s-dm", guest->name);
    plan->kind = image->kind;
    plan->kernel = g_strdup(image->kernel);
    plan->ramdisk = g_strdup(image->ramdisk);
    plan->commandLine = g_strdup(image->commandLine);
    plan->cpus = g_strdup(options->cpus);
    plan->lateDevices = dmImageHas(image, "late-devices");
    plan->seed = dmImageHas(image, "random-seed");
    plan->disks = g_ptr_array_new_with_free_func(planDiskFree);
    plan->nics = g_ptr_array_new_with_free_func(planNicFree);
    if (!planDisks(plan, guest, error) || !planNics(plan, guest, error) || !planConsoles(plan, guest, error) ||
        !planDisplay(plan, guest, image, error) || !planArguments(plan, guest, error)) {
        return NULL;
    }
    plan->memory = options->memory ? options->memory : defaultMemory(plan, image);
    return g_steal_pointer(&plan);
}

void
dmPlanFree(DmPlan *plan)
{
    if (!plan) {
        return;
    }
    g_free(plan->name);
    g_free(plan->kernel);
    g_free(plan->ramdisk);
    g_free(plan->commandLine);
    g_free(plan->cpus);
    g_clear_pointer(&plan->disks, g_ptr_array_unref);
    g_clear_pointer(&plan->nics, g_ptr_array_unref);
    g_strfreev(plan->serials);
    g_strfreev(plan->argv);
    g_free(plan);
}

static void
addString(JsonBuilder *builder, const char *name, const char *value)
{
    json_builder_set_member_name(builder, name);
    if (value) {
        json_builder_add_string_value(builder, value);
    } else {
        json_builder_add_null_value(builder);
    }
}

static void
addStrings(JsonBuilder *builder, const char *name, char **values)
{
    json_builder_set_member_name(builder, name);
    json_builder_begin_array(builder);
    for (; *values; values++) {
        json_builder_add_string_value(builder, *values);
    }
    json_builder_end_array(builder);
}

static void
addDisks(JsonBuilder *builder, const DmPlan *plan)
{
    json_builder_set_member_name(builder, "disks");
    json_builder_begin_array(builder);
    for (guint i = 0; i < plan->disks->len; i++) {
        const DmPlanDisk *disk = g_ptr_array_index(plan->disks, i);

        json_builder_begin_object(builder);
        addString(builder, "vdev", disk->vdev);
        addString(builder, "path", disk->path);
        addString(builder, "script", disk->script);
        json_builder_set_member_name(builder, "readonly");
        json_builder_add_boolean_value(builder, disk->readonly);
        json_builder_set_member_name(builder, "removable");
        json_builder_add_boolean_value(builder, disk->removable);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
}

static void
addNics(JsonBuilder *builder, const DmPlan *plan)
{
    json_builder_set_member_name(builder, "nics");
    json_builder_begin_array(builder);
    for (guint i = 0; i < plan->nics->len; i++) {
        const DmPlanNic *nic = g_ptr_array_index(plan->nics, i);
        g_autofree char *mac = g_strdup_printf("%02x:%02x:%02x:%02x:%02x:%02x", nic->mac[0], nic->mac[1], nic->mac[2],
                                               nic->mac[3], nic->mac[4], nic->mac[5]);

        json_builder_begin_object(builder);
        json_builder_set_member_name(builder, "index");
        json_builder_add_int_value(builder, nic->index);
        addString(builder, "mac", mac);
        addString(builder, "bridge", nic->bridge);
        addString(builder, "script", nic->script);
        if (nic->rateBytes) {
            json_builder_set_member_name(builder, "rate");
            json_builder_add_int_value(builder, (gint64)nic->rateBytes);
            json_builder_set_member_name(builder, "rate_interval");
            json_builder_add_int_value(builder, nic->rateInterval);
        }
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
}

char *
dmPlanToJson(const DmPlan *plan)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    g_autoptr(JsonNode) root = NULL;

    json_builder_begin_object(builder);
    addString(builder, "name", plan->name);
    addString(builder, "kind", plan->kind == DM_IMAGE_LINUX ? "linux" : "minios");
    addString(builder, "kernel", plan->kernel);
    addString(builder, "ramdisk", plan->ramdisk);
    addString(builder, "cmdline", plan->commandLine);
    json_builder_set_member_name(builder, "memory");
    json_builder_add_int_value(builder, plan->memory);
    if (plan->cpus) {
        addString(builder, "cpus", plan->cpus);
    }
    addDisks(builder, plan);
    addNics(builder, plan);
    if (plan->display) {
        json_builder_set_member_name(builder, "display");
        json_builder_add_boolean_value(builder, TRUE);
    }
    addStrings(builder, "serials", plan->serials);
    addStrings(builder, "argv", plan->argv);
    json_builder_end_object(builder);
    root = json_builder_get_root(builder);
    return json_to_string(root, TRUE);
}
