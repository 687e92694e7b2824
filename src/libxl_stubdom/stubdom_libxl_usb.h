/*
 * A domain's USB and input devices as libxl wants them
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "stubdom_libxl_config.h"

/**
 * stubdomLibxlUsbBuild: translates the input devices and the USB controller of @def.
 *
 * Returns 0, or -1 with an error reported, as stubdomLibxlConfigBuild() does.
 */
int stubdomLibxlUsbBuild(StubdomLibxlConfig *config, const virDomainDef *def);
