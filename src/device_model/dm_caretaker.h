/*
 * The caretaker of a guest whose xen-stubdom-dm died
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Part of the guardian. libxl may be in the middle of a save, and resumes the
 * guest only if a device model answers its `cont`; so somebody must, on the
 * same socket, and know what the stubdomain was told last. It keeps the console
 * worker alive, or the stubdomain's kernel would wait for ever for room in a
 * ring nobody empties. It starts nothing new: no save, no hotplug.
 */

#pragma once

#include <glib.h>

#include "dm_libxl.h"
#include "dm_store.h"
#include "protocol/stubdom_command.h"

typedef struct _DmCaretaker DmCaretaker;

typedef struct {
    guint guest;
    guint stubdomain;
    int listener;           /* (transfer full): libxl's QMP socket, or -1 */
    int worker;             /* (transfer full): what keeps the console worker alive, or -1 */
    StubdomCommand pending; /* sent and not answered, or STUBDOM_COMMAND_LAST */
} DmCaretakerCharge;

/**
 * dmCaretakerNew:
 * @store, @libxl: (transfer none): outlive the caretaker
 *
 * Returns: (transfer full): free with dmCaretakerFree(); NULL with DM_ERROR_XENSTORE or _SYSTEM
 */
DmCaretaker *dmCaretakerNew(DmStore *store, DmLibxl *libxl, const DmCaretakerCharge *charge, GError **error);

/** Lets the console worker end. NULL is allowed. */
void dmCaretakerFree(DmCaretaker *caretaker);
