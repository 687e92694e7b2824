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

/* --- PCI, in dm_commands_pci.c ---------------------------------------------- */

void dmCommandDeviceAdd(DmQmpRequest *request, JsonObject *arguments, gpointer opaque);
void dmCommandDeviceAddLibxl(DmQmpRequest *request, JsonObject *arguments, gpointer opaque);
void dmCommandDeviceDel(DmQmpRequest *request, JsonObject *arguments, gpointer opaque);
void dmCommandQueryPci(DmQmpRequest *request, JsonObject *arguments, gpointer opaque);
void dmCommandQueryPciLibxl(DmQmpRequest *request, JsonObject *arguments, gpointer opaque);
