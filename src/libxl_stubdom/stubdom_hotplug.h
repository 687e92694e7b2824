/*
 * Devices of a running domain
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * All functions: @vm is locked, active and referenced, and the caller has its
 * job. They unlock it while they wait, change its live definition and queue
 * their events; the status is the caller's to write.
 */

#pragma once

#include "stubdom_conf.h"

/**
 * stubdomHotplugAttach: plugs a device into guest and stubdomain, or into neither.
 * @dev: of VIR_DOMAIN_DEVICE_DISK, _NET or _HOSTDEV; what is taken over is cleared in it
 *
 * Returns 0 and the guest has been offered the device; or -1 with an error reported, VIR_ERR_OPERATION_UNSUPPORTED with
 * the reason for what cannot be plugged while a guest runs (docs/driver.md has the table).
 */
int stubdomHotplugAttach(StubdomDriver *driver, virDomainObj *vm, virDomainDeviceDef *dev);

/**
 * stubdomHotplugDetach: unplugs the device of @vm that @dev describes.
 *
 * Waits until the guest has let go of it; for a device of the host, as stubdomUnplug() does. Queues DEVICE_REMOVED, or
 * DEVICE_REMOVAL_FAILED when it does not within libxl's time, 10 s.
 *
 * Returns 0, or -1 with an error reported and the device still there.
 */
int stubdomHotplugDetach(StubdomDriver *driver, virDomainObj *vm, virDomainDeviceDef *dev);

/**
 * stubdomHotplugForget: takes a device from the live definition, if it is there, and says so by an event.
 * @vm: locked, with a job; it is unlocked meanwhile
 * @name: the disk's target or the card's MAC address
 */
void stubdomHotplugForget(const StubdomDriver *driver, virDomainObj *vm, virDomainDeviceType kind, const char *name);
