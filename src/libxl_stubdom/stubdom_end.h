/*
 * How domains end by themselves
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "stubdom_conf.h"
#include "stubdom_monitor.h"

/**
 * stubdomEndOccurred: takes an event of libxl (StubdomEventsFunc).
 * @opaque: the driver
 */
void stubdomEndOccurred(StubdomEvents *events, libxl_event *event, void *opaque);

/**
 * stubdomEndMonitor: connects to the monitor of a domain's device model; its events are taken care of.
 * @domid: of the guest
 *
 * Returns it, or NULL with an error reported.
 */
StubdomMonitor *stubdomEndMonitor(StubdomDriver *driver, virDomainObj *vm, uint32_t domid);
