/*
 * How domains end by themselves
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "stubdom_conf.h"

/**
 * stubdomEndOccurred: takes an event of libxl (StubdomEventsFunc).
 * @opaque: the driver
 */
void stubdomEndOccurred(StubdomEvents *events, libxl_event *event, void *opaque);
