/*
 * The PCI devices of a guest, and what they are called
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A list in memory and the reading of addresses; no I/O. Which host device an
 * entry means comes from our QMP client alone; from the stubdomain comes one
 * byte, the virtual slot.
 */

#pragma once

#include <glib.h>

typedef struct {
    char *id;      /* our client's name for it */
    char *address; /* DDDD:BB:DD.F on the host */
    guint8 devfn;  /* of the guest */
} DmPciDevice;

typedef struct {
    GPtrArray *devices; /* of DmPciDevice */
    guint inserting;    /* how many more are on their way */
    guint64 refused;    /* the client of libxl's socket whose device_add failed last; 0: none (dm_commands_pci.c) */
    char *why;          /* and why */
} DmPci;

DmPci *dmPciNew(void);
void dmPciFree(DmPci *pci);

/** (nullable) (transfer none) */
DmPciDevice *dmPciFind(const DmPci *pci, const char *id);

/** The same by its host address. */
DmPciDevice *dmPciFindAddress(const DmPci *pci, const char *address);

/** Copies @id and @address. */
void dmPciAdd(DmPci *pci, const char *id, const char *address, guint8 devfn);

/** Frees the entry; NULL is allowed. */
void dmPciRemove(DmPci *pci, DmPciDevice *device);

/** (transfer full): @text, which may be NULL, as the canonical DDDD:BB:DD.F, or NULL if it is no address. xen-pciback
 * writes the function with two digits. */
char *dmPciAddress(const char *text);

/** QEMU's addr= ("5" or "5.0", hexadecimal) as devfn; FALSE if it is none. */
gboolean dmPciSlot(const char *text, guint *devfn);
