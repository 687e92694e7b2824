/*
 * Domains, as Xen and xenstore have them
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the device model asks and says about its guest: whether it lives, its
 * UUID, that it crashed.
 */

#pragma once

#include <glib.h>

#include "dm_libxl.h"
#include "dm_store.h"

/*
 * Milliseconds libxl has to finish destroying the stubdomain of a guest that is
 * gone, before somebody else does: it pauses a domain first, and then removes
 * its devices, each hotplug script having up to 40 s. One that is not paused is
 * probably not being destroyed. Two destructions at a time disturb each other's
 * scripts.
 */
#define DM_DOMAIN_LINGER 10000
#define DM_DOMAIN_LINGER_PAUSED 90000

/** Whether @guest exists and is not being destroyed; @paused: (out): whether it is paused by its toolstack. */
gboolean dmDomainAlive(DmLibxl *libxl, guint guest, gboolean *paused);

/** Whether @guest was suspended by its toolstack, as it is while it is saved. */
gboolean dmDomainSuspended(DmLibxl *libxl, guint guest);

/**
 * dmDomainCrash:
 *
 * Tells Xen that the guest crashed: it cannot go on without its device model,
 * and its toolstack acts on it (on_crash). Done through the stable device-model
 * interface, as QEMU does. A failure is logged, unless the guest is gone. A
 * guest that is suspended cannot crash, and that is no failure.
 */
void dmDomainCrash(guint guest);

/** The guest's UUID, from the path of its /vm directory; (transfer full). NULL with DM_ERROR_XENSTORE or _NOT_FOUND. */
char *dmDomainUuid(DmStore *store, guint guest, GError **error);

/** How a domain that is no more, or no more runs, ended, in words; @info: (nullable): NULL if it is no more; (transfer
 * full). */
char *dmDomainDescribeEnd(const libxl_dominfo *info);
