/*
 * PV framebuffer or PV keyboard of a stubdomain: the backend's side of xenstore
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Says what the backend can, follows the frontend's state (xen/io/xenbus.h) and
 * reads where it has its page and event channel. Mapping them is the display's
 * affair. A frontend may come and go; one that breaks the rules is shut out for
 * good.
 */

#pragma once

#include <glib.h>

#include "display_message.h"
#include "dm_store.h"

typedef struct _DmDisplayDevice DmDisplayDevice;

/* Asks the display; @fd is sent along. Returns the request's generation, or 0 if there is no display to ask. */
typedef guint32 (*DmDisplayAskFunc)(DisplayRequest *request, int fd, gpointer opaque);

/** dmDisplayDeviceNew: Follows the frontend from now on. Returns: (transfer full): NULL with DM_ERROR_XENSTORE */
DmDisplayDevice *dmDisplayDeviceNew(DmStore *store, guint stubdomain, DisplayDevice device, DmDisplayAskFunc ask,
                                    gpointer opaque, GError **error);

/** NULL is allowed. */
void dmDisplayDeviceFree(DmDisplayDevice *device);

/** A reply of the display about this device. */
void dmDisplayDeviceReply(DmDisplayDevice *device, const DisplayReply *reply);

/** The display is gone: what was connected is not. */
void dmDisplayDeviceLost(DmDisplayDevice *device);

/** There is a display, again: connects to the frontend if that is there. */
void dmDisplayDeviceFollow(DmDisplayDevice *device);
