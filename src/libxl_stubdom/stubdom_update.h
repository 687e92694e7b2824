/*
 * Devices of a running domain that change
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "stubdom_conf.h"

/**
 * stubdomUpdateDevice: changes the device of a running domain that @dev describes.
 * @vm: locked, active and referenced, with the caller's job; unlocked while the device model is asked
 * @dev: what is taken over is cleared in it
 * @force: a medium is changed although the guest has locked its tray
 *
 * Of a CD-ROM drive the medium can be changed, also to none. A change that fails leaves the old one in the drive.
 * Queues TRAY_CHANGE events. A network card can be disconnected and connected again, for guest and stubdomain together.
 *
 * Returns 0, or -1 with an error reported.
 */
int stubdomUpdateDevice(StubdomDriver *driver, virDomainObj *vm, virDomainDeviceDef *dev, bool force);
