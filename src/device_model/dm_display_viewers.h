/*
 * Who looks at a display
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Keeps what the display says of its viewers, bounded, and puts it into the
 * words of QEMU's query-vnc and VNC_… events.
 */

#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

#include "display_message.h"
#include "dm_display_listen.h"

typedef struct _DmDisplayViewers DmDisplayViewers;

/* An event; @data: (transfer full) */
typedef void (*DmDisplayEventFunc)(const char *name, JsonObject *data, gpointer opaque);

/**
 * dmDisplayViewersNew:
 * @listeners: (transfer none): of DmDisplayListener, in the order of their numbers; outlives this
 */
DmDisplayViewers *dmDisplayViewersNew(const GPtrArray *listeners, gboolean password, DmDisplayEventFunc func,
                                      gpointer opaque);
void dmDisplayViewersFree(DmDisplayViewers *viewers);

/** A reply about a viewer. FALSE if the display may not say that. */
gboolean dmDisplayViewersReply(DmDisplayViewers *viewers, const DisplayReply *reply);

/** The display is gone, and all viewers with it. */
void dmDisplayViewersLost(DmDisplayViewers *viewers);

guint dmDisplayViewersCount(const DmDisplayViewers *viewers);

/** As the answer to query-vnc. (transfer full) */
JsonObject *dmDisplayViewersDescribe(const DmDisplayViewers *viewers);
