/*
 * A stubdomain's domain and devices, as libxl takes them
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Turns rows of a plan into libxl's structures, and libxl's list of the
 * guest's disks into rows of a guest. No waiting, no decisions.
 */

#pragma once

#include <glib.h>
#include <libxl.h>

#include "dm_guest.h"
#include "dm_libxl.h"
#include "dm_plan.h"

/**
 * dmDevicesReadDisks:
 * @guest: gets the disks libxl has attached to it, those with an emulated drive
 *   first, in the order of its command line
 *
 * libxl's records have no image format; it is taken from the drive on the
 * command line, else from libxl's own record of the backend's parameters.
 *
 * Returns: FALSE with DM_ERROR_XEN or DM_ERROR_ARGUMENT
 */
gboolean dmDevicesReadDisks(DmLibxl *libxl, DmGuest *guest, GError **error);

/**
 * dmDevicesReadConfig:
 * @file: the guest's libxl_domain_config as JSON, as the driver writes it
 * @guest: gets its disks in the configuration's order, the network
 *   cards what the command line does not say, and whether it has VNC
 *
 * Returns: FALSE with DM_ERROR_ARGUMENT
 */
gboolean dmDevicesReadConfig(DmLibxl *libxl, const char *file, DmGuest *guest, GError **error);

/**
 * dmDevicesTakeConfig: the same from a configuration that has been read; @config is not changed.
 *
 * Returns: FALSE with DM_ERROR_ARGUMENT
 */
gboolean dmDevicesTakeConfig(DmGuest *guest, const libxl_domain_config *config, GError **error);

/** Fills @config (initialised by the callee; dispose with libxl_domain_config_dispose()) with the domain of @plan.
 * @commandTimeout: seconds we wait for the answer to a command. */
gboolean dmDevicesFillDomain(DmLibxl *libxl, const DmPlan *plan, guint commandTimeout, libxl_domain_config *config,
                             GError **error);

/** Fills @disk, which the caller disposes. */
void dmDevicesFillDisk(const DmPlanDisk *planned, libxl_device_disk *disk);

/** Fills @nic, which the caller disposes. */
void dmDevicesFillNic(const DmPlanNic *planned, libxl_device_nic *nic);
