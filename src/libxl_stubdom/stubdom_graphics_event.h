/*
 * Viewers of displays, as clients hear of them
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "virjson.h"

#include "stubdom_conf.h"

/**
 * stubdomGraphicsEvent: queues libvirt's event for one of a device model's about a viewer: VNC_CONNECTED,
 * VNC_INITIALIZED, VNC_DISCONNECTED. Any other is left alone.
 * @domid: of the guest
 * @data: the event's, or NULL
 *
 * To be called with nothing locked; locks the domain for a moment.
 */
void stubdomGraphicsEvent(StubdomDriver *driver, uint32_t domid, const char *name, virJSONValue *data);
