/*
 * A PCI device on its way to the stubdomain
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libxl gives a device to the stubdomain (xen-pciback, rights) before it asks
 * its device model for it, and does not take it back when that fails: this
 * checks the one and does the other. All facts are dom0's own: sysfs, and the
 * backend's nodes, which the stubdomain may only read.
 */

#pragma once

#include <glib.h>

#include "dm_libxl.h"
#include "dm_store.h"

/**
 * dmPciBackendCheck:
 * @address: DDDD:BB:DD.F on the host
 * @needReset: refuse a device that cannot be reset
 * @virtualAllowed: the image's QEMU copes with a device whose address in the stubdomain is not the host's
 *
 * Whether a guest may get the device now.
 *
 * Returns: FALSE with DM_ERROR_UNSUPPORTED, or DM_ERROR_NOT_FOUND if the stubdomain does not have it
 */
gboolean dmPciBackendCheck(DmStore *store, guint stubdomain, const char *address, gboolean needReset,
                           gboolean virtualAllowed, GError **error);

/**
 * dmPciBackendRemove:
 *
 * Takes the device from the stubdomain: its rights, its place in xen-pciback,
 * and a reset. @func is called once from the main loop. libxl waits within its
 * call for the stubdomain's pcifront, at most 10 s, twice
 * (libxl__wait_for_backend() in libxl_pci.c), also when it is called
 * asynchronously, so that is done in a thread.
 */
void dmPciBackendRemove(guint stubdomain, const char *address, DmLibxlFunc func, gpointer opaque);

/**
 * dmPciBackendForget:
 * @stubdomain: which is gone
 *
 * Removes what libxl left of its PCI devices: when the stubdomain's pcifront
 * does not answer, because it died or is paused, libxl gives up and leaves the
 * backend, whose devices xen-pciback then gives to nobody any more.
 */
gboolean dmPciBackendForget(DmStore *store, guint stubdomain, GError **error);
