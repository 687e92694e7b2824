/*
 * PCI devices that reach no memory while they are nobody's
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "stubdom_conf.h"

/**
 * stubdomIsolate: cuts a device off from all memory, dom0's too, until a guest has it or stubdomIsolationEnd().
 * @address: of a device that is bound to xen-pciback
 *
 * One that is cut off already is no error.
 *
 * Returns 0, or -1 with an error reported.
 */
int stubdomIsolate(const StubdomDriver *driver, const virPCIDeviceAddress *address);

/**
 * stubdomIsolationEnd: lets a device that is no domain's reach dom0's memory again, and takes it from xen-pciback.
 *
 * It has no driver then. One that was not cut off is not touched. What fails is logged.
 */
void stubdomIsolationEnd(const StubdomDriver *driver, const virPCIDeviceAddress *address);
