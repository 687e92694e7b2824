/*
 * A disk as libxl wants it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "stubdom_libxl_config.h"

/**
 * stubdomLibxlDiskBuild: translates one disk, for a start as well as for a hot plug.
 * @to: initialised with libxl_device_disk_init(), to be disposed of also on failure
 * @disk: a volume of a pool may be one whose place has not been looked up yet: then it has no path
 *
 * Returns 0, or -1 with an error reported, as stubdomLibxlConfigBuild() does.
 */
int stubdomLibxlDiskBuild(libxl_device_disk *to, const virDomainDiskDef *disk);

/**
 * stubdomLibxlDisksBuild: translates all disks of @def, in their order, and checks what concerns them together.
 *
 * Returns 0, or -1 with an error reported.
 */
int stubdomLibxlDisksBuild(StubdomLibxlConfig *config, const virDomainDef *def);
