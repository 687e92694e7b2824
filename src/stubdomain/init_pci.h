/*
 * PCI devices passed through, on the stubdomain's side
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A device comes to the stubdomain through pcifront, at an address the backend
 * chose, and goes from there to the guest through QEMU. One operation at a
 * time; everything is awaited in the main loop. Rights to the device's
 * resources are the toolstack's matter.
 */

#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

#include "init_pci_address.h"
#include "init_qmp.h"
#include "init_uevent.h"
#include "init_xenstore.h"

typedef struct InitPci InitPci;

/* @error: NULL if done; @devfn: the device's place on the guest's bus, after an insertion. */
typedef void (*InitPciDone)(const GError *error, guint8 devfn, gpointer data);

/**
 * initPciNew:
 * @store: xenstore, must outlive this
 * @uevents: uevents, must outlive this
 * @qmp: QEMU, must outlive this
 * @seconds: deadline for a device to appear
 * @ejectSeconds: deadline for the guest to let go of one
 *
 * Returns: (transfer full): free with initPciFree()
 */
InitPci *initPciNew(InitXenstore *store, InitUevents *uevents, InitQmp *qmp, guint seconds, guint ejectSeconds);

/** Frees @pci, on which no operation may be under way. */
void initPciFree(InitPci *pci);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(InitPci, initPciFree)

/** Gives device @address to the guest; @done is called once with the outcome. */
void initPciInsert(InitPci *pci, const InitPciAddress *address, InitPciDone done, gpointer data);

/** Takes device @address from the guest, which has to agree; @done is called once with the outcome. */
void initPciRemove(InitPci *pci, const InitPciAddress *address, InitPciDone done, gpointer data);

/** Tells of QEMU's event @name. */
void initPciEvent(InitPci *pci, const char *name, JsonNode *value);

/**
 * initPciFindDevice:
 * @buses: what query-pci returned
 * @id: id of a device
 * @devfn: (out): its slot * 8 + function
 *
 * Looks for a device on the guest's first bus. Pure.
 *
 * Returns: TRUE if it is there
 */
gboolean initPciFindDevice(JsonNode *buses, const char *id, guint8 *devfn);
