/*
 * PCI devices of the host as libxl wants them
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "stubdom_libxl_config.h"

/**
 * stubdomLibxlPciBuild: translates one device, for a start as well as for a hot plug.
 * @to: initialised with libxl_device_pci_init(), to be disposed of also on failure
 * @hostdev: of <hostdev>, or of an <interface> that is one
 * @settings: what the domain says of devices, or NULL
 *
 * Whether the host has the device is not asked.
 *
 * Returns 0, or -1 with an error reported, as stubdomLibxlConfigBuild() does.
 */
int stubdomLibxlPciBuild(libxl_device_pci *to, const virDomainHostdevDef *hostdev, const StubdomSettings *settings);

/**
 * stubdomLibxlPcisBuild: translates all devices of the host that @def has, and checks what concerns them together.
 *
 * <features> are translated before: they may forbid it.
 *
 * Returns 0, or -1 with an error reported.
 */
int stubdomLibxlPcisBuild(StubdomLibxlConfig *config, const virDomainDef *def);
