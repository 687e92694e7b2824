/*
 * A domain's serial ports as libxl wants them
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "stubdom_libxl_config.h"

/**
 * stubdomLibxlSerialsBuild: translates the serial ports of @def; a console must be one of them.
 *
 * Returns 0, or -1 with an error reported, as stubdomLibxlConfigBuild() does.
 */
int stubdomLibxlSerialsBuild(StubdomLibxlConfig *config, const virDomainDef *def);
