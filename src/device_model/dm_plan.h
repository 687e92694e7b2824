/*
 * The planner: guest and image in, stubdomain out
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A pure function. Everything that is decided about a stubdomain before it
 * exists is decided here and can be read in one piece: its disks, NICs,
 * consoles, argument list and memory. The mapping is that of stubdom.txt,
 * "Setup", for both kinds of image.
 */

#pragma once

#include <glib.h>

#include "dm_guest.h"
#include "dm_image.h"

/* PV disks a stubdomain can have: xvda to xvdz. */
#define DM_PLAN_DISKS_MAX 26U
#define DM_PLAN_NICS_MAX 8U
/* Pixels in a row, and rows, of a picture a stubdomain may be asked to show: its 16 bits of vkbd and RFB, and memory.
 */
#define DM_PLAN_DISPLAY_MAX 4096U
/* Bytes of a pixel of the PV framebuffer. */
#define DM_PLAN_PIXEL 4U
/* Serial ports of a PC. */
#define DM_PLAN_SERIALS_MAX 4U

typedef struct {
    char *vdev;   /* in the stubdomain */
    char *path;   /* in dom0 */
    char *script; /* or NULL */
    gboolean readonly;
    gboolean removable;
} DmPlanDisk;

typedef struct {
    guint index; /* in the stubdomain */
    guint8 mac[6];
    char *bridge;       /* or NULL for libxl's default */
    char *script;       /* or NULL for libxl's default */
    guint64 rateBytes;  /* that may come from it in an interval; 0: no limit */
    guint rateInterval; /* microseconds */
} DmPlanNic;

typedef struct {
    char *name; /* of the stubdomain's domain */
    DmImageKind kind;
    char *kernel;
    char *ramdisk; /* or NULL */
    char *commandLine;
    char *cpus;           /* of the host it may run on, or NULL for all */
    guint memory;         /* MiB */
    GPtrArray *disks;     /* of DmPlanDisk */
    GPtrArray *nics;      /* of DmPlanNic */
    char **serials;       /* ends in dom0 of the consoles 3… */
    char **argv;          /* of the device model in the stubdomain, without its name */
    gboolean lateDevices; /* disks and NICs may come while it boots: its image waits for them */
    gboolean seed;        /* its image asks for random bytes */
    gboolean display;     /* it has a PV framebuffer and a PV keyboard */
    guint displayWidth;   /* pixels of the largest picture a Linux stubdomain shows; 0: none, or not said */
    guint displayHeight;
} DmPlan;

/**
 * dmPlanMake:
 * @guest: the guest, its disks filled in
 * @image: the image to run it with
 * @options: what was said of the stubdomain
 *
 * Returns: (transfer full): free with dmPlanFree(); NULL with DM_ERROR_UNSUPPORTED
 *   or DM_ERROR_ARGUMENT when something of the guest cannot be mapped
 */
DmPlan *dmPlanMake(const DmGuest *guest, const DmImage *image, const DmOptions *options, GError **error);
void dmPlanFree(DmPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DmPlan, dmPlanFree)

/** The plan as indented JSON with a stable order, for golden files and for the log. (transfer full) */
char *dmPlanToJson(const DmPlan *plan);

/* --- the two kinds of argument lists; used by dm_plan.c alone ------------ */

/* dm_plan_linux.c: libxl's arguments with what is dom0's replaced by what is the stubdomain's. */
char **dmPlanLinuxArguments(const DmGuest *guest, GError **error);

/* dm_plan_minios.c: the command line of qemu-xen-traditional, from the typed configuration. */
char **dmPlanMiniosArguments(const DmGuest *guest, GError **error);
