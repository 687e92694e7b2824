/*
 * What sysfs says about a PCI device that is to be passed through
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The driver asks before libxl takes a device, xen-stubdom-dm before the guest
 * gets it: under plain libxl it is the only one that asks. Reads sysfs of
 * dom0 alone; the address comes from the toolstack, never from a stubdomain.
 * It binds nothing; the one thing it does to a device is to reset it, with the
 * kernel's own file, which is also what libxl uses.
 */

#pragma once

#include <glib.h>

typedef enum {
    HOST_PCI_USABLE = 0,
    HOST_PCI_ABSENT,         /* there is no such device */
    HOST_PCI_NO_BACKEND,     /* xen-pciback is not loaded */
    HOST_PCI_NOT_ASSIGNABLE, /* the device is bound to another driver, or to none */
    HOST_PCI_NO_RESET,       /* nothing can reset it: what one guest put into it the next one gets */
} HostPciProblem;

/* What hostPciCheck() asks beside whether the device and xen-pciback are there. */
typedef enum {
    HOST_PCI_MUST_BE_BOUND = 1 << 0, /* to xen-pciback */
    HOST_PCI_MUST_RESET = 1 << 1,    /* a device without reset is a problem */
} HostPciNeeds;

/**
 * hostPciCheck:
 * @sysfs: directory sysfs is mounted on; NULL: /sys
 * @address: "DDDD:BB:DD.F", checked by the caller
 * @needs: of HostPciNeeds
 * @text: (out) (transfer full): a sentence that names the fact and what to do; NULL for HOST_PCI_USABLE
 *
 * The first thing that is in the way of passing the device through. Whether it
 * can be reset is whether it has a file `reset`.
 */
HostPciProblem hostPciCheck(const char *sysfs, const char *address, guint needs, char **text);

/** hostPciDriver: (nullable) (transfer full): the name of the driver a device is bound to; @sysfs, @address as above.
 */
char *hostPciDriver(const char *sysfs, const char *address);

typedef enum {
    HOST_PCI_RESET_DONE = 0,
    HOST_PCI_RESET_NONE,   /* the kernel has none for the device */
    HOST_PCI_RESET_FAILED, /* it has, and that failed */
} HostPciReset;

/**
 * hostPciReset:
 * @sysfs, @address: as above
 * @text: (out) (transfer full): a sentence that names the fact; NULL for HOST_PCI_RESET_DONE
 *
 * Resets a device that nobody uses. May take seconds.
 */
HostPciReset hostPciReset(const char *sysfs, const char *address, char **text);
