/*
 * What the guest's configuration says about its device model
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The typed form of what libxl's command line says, plus the guest's disks,
 * which are not on it. Plain data without I/O: input of the planner
 * (dm_plan.h).
 */

#pragma once

#include <glib.h>

#include "dm_options.h"
#include "protocol/stubdom_command.h"

typedef enum {
    DM_DISK_BUS_IDE, /* hdX and xvdX: the emulated one is IDE (or AHCI) */
    DM_DISK_BUS_SCSI /* sdX */
} DmDiskBus;

typedef struct {
    char *vdev; /* as configured: "hda", "xvdb", "sdc" */
    DmDiskBus bus;
    guint unit;    /* number of the disk in @vdev: "hdc" is 2 */
    char *path;    /* image file or block device in dom0; NULL: no medium */
    char *format;  /* "raw", "qcow2", …; NULL: not known, taken as raw */
    char *script;  /* block hotplug script, or NULL for the usual one */
    guint backend; /* domid of the backend domain */
    gboolean readonly;
    gboolean cdrom;
} DmDisk;

typedef struct {
    guint index; /* number of the NIC in the guest: "net0" is 0 */
    guint8 mac[6];
    char *model;        /* QEMU's device: "e1000", "rtl8139", … */
    char *bridge;       /* bridge in dom0, or NULL */
    char *script;       /* vif hotplug script, or NULL for the usual one */
    guint64 rateBytes;  /* the guest may send in an interval; 0: no limit */
    guint rateInterval; /* microseconds */
} DmNic;

typedef enum {
    DM_VGA_NONE,
    DM_VGA_CIRRUS,
    DM_VGA_STD,
    DM_VGA_OTHER, /* only newer QEMUs have it */
} DmVga;

typedef struct {
    guint domid;
    char *name;
    char **arguments; /* as libxl wrote them, without what is for dom0 */
    GPtrArray *disks; /* of DmDisk, in configuration order */
    GPtrArray *nics;  /* of DmNic: the emulated ones, in configuration order */
    char **serials;   /* QEMU's names of the serial ports' ends in dom0 */
    char *boot;       /* "cda", or NULL */
    DmVga vga;
    guint videoMemory; /* MiB, 0: not said */
    guint vcpus;       /* online at start */
    guint vcpusMax;
    gboolean plugged[STUBDOM_CPUS_MAX]; /* added since then */
    gboolean acpi;
    gboolean usb;
    char **usbDevices;
    char *soundhw; /* QEMU's device, or NULL */
    char *keymap;
    gboolean incoming;  /* its device state is to be restored */
    gboolean vnc;       /* its display is to be seen through VNC */
    gboolean graphics;  /* through SDL or SPICE */
    guint displayWidth; /* the largest picture there is room for, pixels; 0: the planner's choice */
    guint displayHeight;
} DmGuest;

/**
 * dmGuestFromOptions:
 * @options: the command line
 *
 * Reads what libxl 4.17 to 4.22 puts on a QEMU's command line. The disks are
 * left empty.
 *
 * Returns: (transfer full): free with dmGuestFree(); NULL with DM_ERROR_ARGUMENT
 */
DmGuest *dmGuestFromOptions(const DmOptions *options, GError **error);
void dmGuestFree(DmGuest *guest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DmGuest, dmGuestFree)

/**
 * dmDiskNew:
 * @vdev: virtual device name: hd, xvd or sd with letters, or d<disk>p<partition>
 *   (xen-vbd-interface.7)
 *
 * Returns: (transfer full): a disk with bus and unit set; NULL with DM_ERROR_ARGUMENT
 */
DmDisk *dmDiskNew(const char *vdev, GError **error);

/** Xen's number of @disk (xen-vbd-interface.7), which names it in xenstore: 5632 for "hdc". */
guint dmDiskNumber(const DmDisk *disk);
void dmDiskFree(DmDisk *disk);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DmDisk, dmDiskFree)
