/*
 * A domain's firmware and boot order as libxl wants them
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "stubdom_libxl_config.h"

/**
 * stubdomLibxlOsBuild: translates <os>, <genid> and the boot order of the devices of @def.
 *
 * Returns 0, or -1 with an error reported, as stubdomLibxlConfigBuild() does.
 */
int stubdomLibxlOsBuild(StubdomLibxlConfig *config, const virDomainDef *def);
