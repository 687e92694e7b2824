/*
 * A domain's hypervisor features as libxl wants them
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "stubdom_libxl_config.h"

/**
 * stubdomLibxlFeaturesBuild: translates <features>, and the timer hypervclock.
 *
 * Returns 0, or -1 with an error reported, as stubdomLibxlConfigBuild() does.
 */
int stubdomLibxlFeaturesBuild(StubdomLibxlConfig *config, const virDomainDef *def);
