/*
 * What sysfs says about a PCI device that is to be passed through
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The driver asks before libxl takes a device, xen-stubdom-dm before the guest
 * gets it: under plain libxl it is the only one that asks. Reads sysfs of
 * dom0 alone; the address comes from the toolstack, never from a stubdomain.
 * It binds, resets and changes nothing.
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

/**
 * hostPciCheck:
 * @sysfs: directory sysfs is mounted on; NULL: /sys
 * @address: "DDDD:BB:DD.F", checked by the caller
 * @needReset: a device without reset is a problem
 * @text: (out) (transfer full): a sentence that names the fact and what to do; NULL for HOST_PCI_USABLE
 *
 * The first thing that is in the way of passing the device through. Whether it
 * can be reset is whether it has a file `reset`, which is also what libxl uses.
 */
HostPciProblem hostPciCheck(const char *sysfs, const char *address, gboolean needReset, char **text);
