/*
 * The QMP commands libxl and the driver may send
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A row a command. What is not here does not exist for our clients
 * (CommandNotFound); in particular nothing is passed on to the stubdomain's
 * QEMU.
 */

#pragma once

#include "dm_model.h"
#include "dm_qmp_server.h"

/* Both tables end with a NULL name; the handlers' opaque is the DmModel. */
extern const DmQmpCommand dmCommandsLibxl[];
extern const DmQmpCommand dmCommandsDriver[];

/** Answers a query-status. */
void dmCommandsAnswerStatus(DmModel *model, DmQmpRequest *request);

/* --- CD-ROM drives, in dm_commands_cdrom.c ------------------------------------ */

void dmCommandChangeMedium(DmQmpRequest *request, JsonObject *arguments, gpointer opaque);
void dmCommandEject(DmQmpRequest *request, JsonObject *arguments, gpointer opaque);
void dmCommandQueryBlock(DmQmpRequest *request, JsonObject *arguments, gpointer opaque);
/* --- stop, save and continue, in dm_commands_save.c ------------------------- */

void dmCommandStop(DmQmpRequest *request, JsonObject *arguments, gpointer opaque);
void dmCommandSave(DmQmpRequest *request, JsonObject *arguments, gpointer opaque);
void dmCommandCont(DmQmpRequest *request, JsonObject *arguments, gpointer opaque);
void dmCommandAddFd(DmQmpRequest *request, JsonObject *arguments, gpointer opaque);
void dmCommandDirtyLog(DmQmpRequest *request, JsonObject *arguments, gpointer opaque);

/* The driver's: whether `stop` would be refused, with its words. */
void dmCommandQuerySave(DmQmpRequest *request, JsonObject *arguments, gpointer opaque);

/** Whether `stop` was the last word about the guest's running. */
gboolean dmCommandsSaveStopped(DmModel *model);

/** Whether the device state is saved, and the guest was not told to go on since. */
gboolean dmCommandsSaveDone(DmModel *model);

/** The stubdomain's channel and consoles are about to go; a save ends as failed. */
void dmCommandsSaveEnd(DmModel *model);

/** Frees what belongs to these commands; after dmCommandsSaveEnd(), when channel and consoles are gone. */
void dmCommandsSaveFree(DmModel *model);

/* --- virtual CPUs, in dm_commands_cpu.c ------------------------------------- */

/** Those the guest has, in the form of query-cpus-fast. */
void dmCommandQueryCpus(DmQmpRequest *request, JsonObject *arguments, gpointer opaque);

/** Those it can have, by number as sockets: what libxl takes them for. */
void dmCommandQueryHotpluggableCpus(DmQmpRequest *request, JsonObject *arguments, gpointer opaque);

/** Whether a device_add is about a virtual CPU. */
gboolean dmCommandsIsCpu(JsonObject *arguments);

/** device_add of a virtual CPU. */
void dmCommandCpuAdd(DmQmpRequest *request, JsonObject *arguments, gpointer opaque);

/* --- PCI, in dm_commands_pci.c ---------------------------------------------- */

void dmCommandDeviceAdd(DmQmpRequest *request, JsonObject *arguments, gpointer opaque);
void dmCommandDeviceAddLibxl(DmQmpRequest *request, JsonObject *arguments, gpointer opaque);
void dmCommandDeviceDel(DmQmpRequest *request, JsonObject *arguments, gpointer opaque);
void dmCommandQueryPci(DmQmpRequest *request, JsonObject *arguments, gpointer opaque);
void dmCommandQueryPciLibxl(DmQmpRequest *request, JsonObject *arguments, gpointer opaque);

/** How many devices the guest has or is being given. */
guint dmCommandsPciCount(DmModel *model);

/* --- the display, in dm_commands_display.c ---------------------------------- */

void dmCommandQueryVnc(DmQmpRequest *request, JsonObject *arguments, gpointer opaque);
void dmCommandChange(DmQmpRequest *request, JsonObject *arguments, gpointer opaque);
void dmCommandSetPassword(DmQmpRequest *request, JsonObject *arguments, gpointer opaque);
void dmCommandExpirePassword(DmQmpRequest *request, JsonObject *arguments, gpointer opaque);
void dmCommandScreendump(DmQmpRequest *request, JsonObject *arguments, gpointer opaque);
void dmCommandSendKey(DmQmpRequest *request, JsonObject *arguments, gpointer opaque);
void dmCommandGetFd(DmQmpRequest *request, JsonObject *arguments, gpointer opaque);
void dmCommandAddClient(DmQmpRequest *request, JsonObject *arguments, gpointer opaque);

/** Answers what is pending and frees what belongs to these commands. */
void dmCommandsDisplayFree(DmModel *model);
