/*
 * A domain's devices as libxl wants them
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "stubdom_libxl_config.h"

/**
 * stubdomLibxlDevicesBuild: translates the devices of @def.
 * @config: initialised, of type HVM
 *
 * Returns 0, or -1 with an error reported, as stubdomLibxlConfigBuild() does.
 */
int stubdomLibxlDevicesBuild(StubdomLibxlConfig *config, const virDomainDef *def);
