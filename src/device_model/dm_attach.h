/*
 * The devices of a stubdomain, attached all at once
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Disks and NICs of a plan, by libxl. Each hotplug script takes as long as a
 * whole program start or ten; they do not depend on each other, so all are
 * started together and the caller goes on meanwhile. What is attached is
 * removed by libxl with the domain.
 */

#pragma once

#include <glib.h>

#include "dm_libxl.h"
#include "dm_plan.h"

typedef struct _DmAttach DmAttach;

/* No attachment is in work any more; @error: why one failed, the first that did, or NULL (transfer none). */
typedef void (*DmAttachFunc)(const GError *error, gpointer opaque);

/**
 * dmAttachStart:
 * @domid: of the stubdomain, whose target is known: the block hotplug script
 *   lets guest and stubdomain share an image only then
 *
 * Starts to attach everything @plan has.
 *
 * Returns: (transfer full): free with dmAttachFree() when nothing is in work
 */
DmAttach *dmAttachStart(DmLibxl *libxl, guint domid, const DmPlan *plan);
void dmAttachFree(DmAttach *attach);

/**
 * dmAttachAwait:
 *
 * Calls @func once, from the main loop or from within, when nothing is in
 * work. libxl ends each attachment by its own deadlines. One waits at a time.
 */
void dmAttachAwait(DmAttach *attach, DmAttachFunc func, gpointer opaque);
