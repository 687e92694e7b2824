/*
 * A plugging or unplugging that the end of libvirtd cut off
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "stubdom_private.h"

/**
 * stubdomUnfinishedBegin: writes down that a device of a running domain is about to be plugged or unplugged.
 * @vm: locked, with a job
 * @kind: VIR_DOMAIN_DEVICE_DISK or VIR_DOMAIN_DEVICE_NET
 * @name: the disk's target or the card's MAC address
 */
void stubdomUnfinishedBegin(const StubdomDriver *driver, virDomainObj *vm, virDomainDeviceType kind, const char *name);

/**
 * stubdomUnfinishedEnd: writes down that it is done, or was not done. The error that is set stays.
 * @vm: locked, with a job, its live definition as it is from now on
 */
void stubdomUnfinishedEnd(const StubdomDriver *driver, virDomainObj *vm);

/**
 * stubdomUnfinishedResolve: takes away what was about to be plugged or unplugged when libvirtd ended.
 * @vm: locked, with a job; it is unlocked meanwhile
 *
 * The device is neither in the guest nor in the live definition afterwards. A guest that does not let go keeps it, and
 * a warning names it.
 */
void stubdomUnfinishedResolve(StubdomDriver *driver, virDomainObj *vm);
