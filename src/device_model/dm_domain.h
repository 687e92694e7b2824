/*
 * Domains, as Xen and xenstore have them
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the device model asks and says about its guest: whether it lives, its
 * UUID, that its device model is ready, that it crashed.
 */

#pragma once

#include <glib.h>

#include "dm_libxl.h"
#include "dm_store.h"

/** Whether @guest exists and is not being destroyed; @paused: (out): whether it is paused by its toolstack. */
gboolean dmDomainAlive(DmLibxl *libxl, guint guest, gboolean *paused);

/**
 * dmDomainCrash:
 *
 * Tells Xen that the guest crashed: it cannot go on without its device model,
 * and its toolstack acts on it (on_crash). Done through the stable device-model
 * interface, as QEMU does. A failure is logged, unless the guest is gone.
 */
void dmDomainCrash(guint guest);

/** Writes the flag that libxl waits for. */
gboolean dmDomainReady(DmStore *store, guint guest, GError **error);

/** The guest's UUID, from the path of its /vm directory; (transfer full). NULL with DM_ERROR_XENSTORE or _NOT_FOUND. */
char *dmDomainUuid(DmStore *store, guint guest, GError **error);

/** How a domain that is no more, or no more runs, ended, in words; @info: (nullable): NULL if it is no more; (transfer
 * full). */
char *dmDomainDescribeEnd(const libxl_dominfo *info);
