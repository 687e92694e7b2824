/*
 * A domain's clock as libxl wants it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "stubdom_libxl_config.h"

/**
 * stubdomLibxlClockBuild: translates <clock>; hypervclock is one of the features.
 *
 * Returns 0, or -1 with an error reported, as stubdomLibxlConfigBuild() does.
 */
int stubdomLibxlClockBuild(StubdomLibxlConfig *config, const virDomainDef *def);
