/*
 * A stubdomain's place beside its guest
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What makes a domain the device model of another: power over it in Xen, its
 * rights in xenstore, and the nodes a stubdomain reads when it starts
 * (stubdom.txt, "Setup"; libxl 4.17, libxl__spawn_stub_dm).
 */

#pragma once

#include <glib.h>

#include "dm_image.h"
#include "dm_store.h"

typedef struct {
    guint stubdomain;
    guint guest;
    const char *uuid; /* of the guest */
    DmImageKind kind;
    const char *const *argv; /* of the device model in the stubdomain */
    gboolean seed;           /* give it random bytes */
    gboolean display;        /* give it a PV framebuffer and a PV keyboard */
} DmTarget;

/**
 * dmTargetSet:
 *
 * To be called when the stubdomain exists and before it has disks: the block
 * hotplug script lets the two share an image only then.
 *
 * Returns: FALSE with DM_ERROR_XEN or DM_ERROR_XENSTORE
 */
gboolean dmTargetSet(DmStore *store, const DmTarget *target, GError **error);

/**
 * dmTargetUp:
 *
 * Hands the stubdomain over to libxl and tells it that the device model is
 * ready. Until then libxl knows nothing of the stubdomain, and does not destroy
 * it with a guest whose start is given up: two destructions of one domain at a
 * time disturb each other's hotplug scripts.
 *
 * Returns: FALSE with DM_ERROR_XENSTORE
 */
gboolean dmTargetUp(DmStore *store, const DmTarget *target, GError **error);

/** Takes it back from libxl, and removes the nodes that are not below the stubdomain's own directories, which libxl
 * removes. */
gboolean dmTargetClear(DmStore *store, const DmTarget *target, GError **error);
