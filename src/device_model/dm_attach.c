/*
 * The devices of a stubdomain, attached all at once
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A count of what is in work and the first error. Nothing is aborted when one
 * fails: libxl would kill the hotplug scripts of the others, which then leave
 * their locks and loop devices behind.
 */

#include "config.h"

#include "dm_attach.h"

#include <glib/gi18n-lib.h>

#include "dm_devices.h"

/* All members: main loop only. */
struct _DmAttach {
    DmLibxl *libxl;
    guint domid;
    guint inWork;
    GError *error; /* the first */
    DmAttachFunc func;
    gpointer opaque;
};

static void
tell(DmAttach *attach)
{
    DmAttachFunc func = attach->func;

    if (attach->inWork == 0 && func) {
        attach->func = NULL;
        func(attach->error, attach->opaque);
    }
}

static void
attached(const GError *error, gpointer opaque)
{
    DmAttach *attach = opaque;

    attach->inWork--;
    if (error && !attach->error) {
        attach->error = g_error_copy(error);
    }
    tell(attach);
}

static void
startDisk(DmAttach *attach, const DmPlanDisk *planned)
{
    g_autofree char *what =
        g_strdup_printf(_("attach disk '%s' to the stubdomain as '%s'"), planned->path, planned->vdev);
    DmLibxlOperation *operation = dmLibxlBegin(attach->libxl, what, attached, attach);
    libxl_device_disk disk;

    attach->inWork++;
    dmDevicesFillDisk(planned, &disk);
    dmLibxlStarted(operation,
                   libxl_device_disk_add(dmLibxlContext(attach->libxl), attach->domid, &disk, dmLibxlHow(operation)));
    libxl_device_disk_dispose(&disk);
}

static void
startNic(DmAttach *attach, const DmPlanNic *planned)
{
    g_autofree char *what = g_strdup_printf(_("attach NIC %u of the stubdomain to bridge '%s'"), planned->index,
                                            planned->bridge ? planned->bridge : _("(default)"));
    DmLibxlOperation *operation = dmLibxlBegin(attach->libxl, what, attached, attach);
    libxl_device_nic nic;

    attach->inWork++;
    dmDevicesFillNic(planned, &nic);
    dmLibxlStarted(operation,
                   libxl_device_nic_add(dmLibxlContext(attach->libxl), attach->domid, &nic, dmLibxlHow(operation)));
    libxl_device_nic_dispose(&nic);
}

DmAttach *
dmAttachStart(DmLibxl *libxl, guint domid, const DmPlan *plan)
{
    DmAttach *attach = g_new0(DmAttach, 1);

    attach->libxl = libxl;
    attach->domid = domid;
    for (guint i = 0; i < plan->disks->len; i++) {
        startDisk(attach, g_ptr_array_index(plan->disks, i));
    }
    for (guint i = 0; i < plan->nics->len; i++) {
        startNic(attach, g_ptr_array_index(plan->nics, i));
    }
    return attach;
}

void
dmAttachFree(DmAttach *attach)
{
    if (!attach) {
        return;
    }
    g_warn_if_fail(attach->inWork == 0);
    g_clear_error(&attach->error);
    g_free(attach);
}

void
dmAttachAwait(DmAttach *attach, DmAttachFunc func, gpointer opaque)
{
    attach->func = func;
    attach->opaque = opaque;
    tell(attach);
}
