/*
 * A guest lets go of a PCI device
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "virjson.h"

#include "stubdom_conf.h"

/**
 * stubdomUnplug: asks the guest to let go of a device of its live definition.
 * @vm: locked, active and referenced, with the caller's job; unlocked meanwhile
 *
 * Waits a few seconds at most; a guest takes its time, and what it does later is heard of by stubdomUnplugEvent().
 * DEVICE_REMOVED is queued once the device is the host's again, or DEVICE_REMOVAL_FAILED.
 *
 * Returns 0 if the device is gone or the guest has been asked; or -1 with an error reported, and the guest has it.
 */
int stubdomUnplug(StubdomDriver *driver, virDomainObj *vm, virDomainHostdevDef *hostdev);

/**
 * stubdomUnplugEvent: hears an event of a device model's monitor. Any thread; does not wait.
 * @domid: of the guest
 */
void stubdomUnplugEvent(StubdomDriver *driver, uint32_t domid, const char *name, virJSONValue *data);

/**
 * stubdomUnplugResume: goes on, after a start of the daemon, with what the one before did to a domain's devices.
 * @vm: as above
 *
 * What was half attached is taken back, what a guest let go of meanwhile is the host's again, and a guest that was
 * asked is asked once more.
 */
void stubdomUnplugResume(StubdomDriver *driver, virDomainObj *vm);
