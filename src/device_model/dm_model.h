/*
 * The device model of one guest, from start to end
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Joins the parts: reads what the guest is, makes its stubdomain, tells libxl
 * when it is up, serves QMP, notices when guest or stubdomain end, and leaves
 * nothing behind. One object a process.
 */

#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

#include "dm_cdrom.h"
#include "dm_display.h"
#include "dm_guest.h"
#include "dm_image.h"
#include "dm_options.h"
#include "dm_pci.h"
#include "dm_qmp_server.h"
#include "dm_stubdomain.h"

typedef struct _DmModel DmModel;
typedef struct _DmCommandsSave DmCommandsSave;
typedef struct _DmCommandsDisplay DmCommandsDisplay;

typedef enum {
    DM_MODEL_STARTING,
    DM_MODEL_RUNNING,  /* the stubdomain is up */
    DM_MODEL_ORPHANED, /* the stubdomain is gone, the guest is not */
    DM_MODEL_ENDING,
} DmModelPhase;

/**
 * dmModelRun:
 * @options: (transfer none)
 *
 * Does everything, until the guest is gone or the start failed.
 *
 * Returns: the process's exit status
 */
int dmModelRun(const DmOptions *options);

/* --- for the QMP commands (dm_commands.c) ----------------------------------- */

DmModelPhase dmModelPhase(const DmModel *model);
const DmOptions *dmModelOptions(const DmModel *model);
DmGuest *dmModelGuest(const DmModel *model);
DmStubdomain *dmModelStubdomain(DmModel *model);

const DmImage *dmModelImage(const DmModel *model);

/** The guest's CD-ROM drives. */
DmCdroms *dmModelCdroms(DmModel *model);

DmStore *dmModelStore(DmModel *model);
DmLibxl *dmModelLibxl(DmModel *model);

/** PCI devices inserted so far. */
DmPci *dmModelPci(DmModel *model);

/** What stop, save and continue keep between commands (dm_commands_save.c), made on first use. */
DmCommandsSave **dmModelSave(DmModel *model);

/** (nullable): NULL: the guest has none. */
DmDisplay *dmModelDisplay(DmModel *model);

/** What the display's commands keep (dm_commands_display.c), made on first use. */
DmCommandsDisplay **dmModelDisplayCommands(DmModel *model);

/** Whether the guest's CPUs were let run: libxl may ask for a start that waits for `cont` (-S). */
gboolean *dmModelContinued(DmModel *model);

/** The toolstack has given up a save, or what else it was about: the guest was to go on, but has no stubdomain. */
void dmModelGivenUp(DmModel *model);

/** The stubdomain is of no use to the guest any more, for @reason: both are ended. */
void dmModelAbandon(DmModel *model, const GError *reason);

/** The guest goes on after a save: what waited for that is done. */
void dmModelSaveOver(DmModel *model);

/** Requests that are answered when the stubdomain is up. */
void dmModelHold(DmModel *model, DmQmpRequest *request);

/** Sends an event to the driver's socket. @data: (transfer full) */
void dmModelEvent(DmModel *model, const char *name, JsonObject *data);
