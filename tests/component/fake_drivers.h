/*
 * Drivers of libvirt that the driver under test asks for networks and devices of the host
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * In the process of the driver under test (harness/driver_process.py).
 */

#pragma once

#include "stubdom_compat.h"

#include "datatypes.h"
#include "driver.h"

extern virNetworkDriver fakeNetworkDriver;
extern virNodeDeviceDriver fakeNodedevDriver;

/** They answer for network:///… and nodedev:///…, and the second for every connection of a driver registered later. */
void fakeDriversRegister(void);
