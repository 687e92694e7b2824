/*
 * PCI devices of the host
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Methods of libvirt's driver table; each is as documented for the function of
 * libvirt's API it is named after.
 */

#pragma once

#include "datatypes.h"

int stubdomNodeDeviceDettach(virNodeDevicePtr device);
int stubdomNodeDeviceDetachFlags(virNodeDevicePtr device, const char *name, unsigned int flags);
int stubdomNodeDeviceReAttach(virNodeDevicePtr device);
int stubdomNodeDeviceReset(virNodeDevicePtr device);
