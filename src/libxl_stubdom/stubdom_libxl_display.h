/*
 * A domain's display as libxl wants it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "stubdom_libxl_config.h"

/**
 * stubdomLibxlDisplayBuild: translates the video card of @def and what shows it.
 *
 * Returns 0, or -1 with an error reported, as stubdomLibxlConfigBuild() does.
 */
int stubdomLibxlDisplayBuild(StubdomLibxlConfig *config, const virDomainDef *def);
