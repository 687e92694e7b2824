/*
 * Devices of a persistent definition
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "stubdom_conf.h"

/**
 * stubdomDeviceConfigAttach: adds a device to a definition.
 * @dev: what is taken over is cleared in it
 *
 * stubdomDeviceConfigDetach: removes the device of @def that @dev describes.
 *
 * stubdomDeviceConfigUpdate: replaces a device of @def: the disk of the same name, or the network card with the same
 * MAC address.
 *
 * Each returns 0, or -1 with an error reported. The result is to be checked with stubdomDeviceConfigCheck().
 */
int stubdomDeviceConfigAttach(virDomainDef *def, virDomainDeviceDef *dev);
int stubdomDeviceConfigDetach(virDomainDef *def, virDomainDeviceDef *dev);
int stubdomDeviceConfigUpdate(virDomainDef *def, virDomainDeviceDef *dev);

/**
 * stubdomDeviceConfigCheck: whether a definition that was changed could be defined.
 *
 * Returns 0, or -1 with an error reported, as for a definition that is made.
 */
int stubdomDeviceConfigCheck(const StubdomDriver *driver, virDomainDef *def);
