/*
 * Media of the guest's CD-ROM drives, on the stubdomain's side
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A medium is a PV disk of the stubdomain. The toolstack attaches that of a new
 * medium before it asks for the change and removes that of the old one
 * afterwards; here QEMU is told to take one for the other. QEMU opens the new
 * one before it lets go of the old, so a change that fails changes nothing.
 */

#pragma once

#include <glib.h>

#include "init_qmp.h"
#include "init_uevent.h"

/* Longest name of a drive in QEMU, in bytes. */
#define INIT_CDROM_DRIVE_MAX 32U

/* What a `cdrom-eject` or `cdrom-insert` asks for. */
typedef struct {
    char drive[INIT_CDROM_DRIVE_MAX + 1]; /* QEMU's name: "ide-5632" */
    char device[8];                       /* "xvdd"; "" without */
    gboolean force;                       /* although the guest has locked the tray */
} InitCdromRequest;

/**
 * initCdromParse:
 * @parameter: `DRIVE[,DEVICE][,force]`
 *
 * Returns: FALSE with INIT_ERROR_ARGUMENT
 */
gboolean initCdromParse(const char *parameter, InitCdromRequest *request, GError **error);

typedef struct InitCdrom InitCdrom;

/* @error: NULL on success */
typedef void (*InitCdromDone)(const GError *error, gpointer data);

/**
 * initCdromNew:
 * @directory: where device nodes are: "/dev"
 * @seconds: deadline for a PV disk to appear
 *
 * Returns: (transfer full): free with initCdromFree()
 */
InitCdrom *initCdromNew(InitUevents *uevents, InitQmp *qmp, const char *directory, guint seconds);

/** Frees @cdrom, which may be NULL and have nothing under way. */
void initCdromFree(InitCdrom *cdrom);

/** Takes the medium out of a drive. @done is called once, perhaps from within. One operation at a time. */
void initCdromEject(InitCdrom *cdrom, const char *parameter, InitCdromDone done, gpointer data);

/** Puts a PV disk into a drive, in place of what is in it. @done as above. */
void initCdromInsert(InitCdrom *cdrom, const char *parameter, InitCdromDone done, gpointer data);
