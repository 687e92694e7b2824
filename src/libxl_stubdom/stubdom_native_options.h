/*
 * xen-stubdom-dm's own options in an xl.cfg(5)
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "virbuffer.h"

#include "stubdom_xl_cfg.h"

/**
 * stubdomNativeReadOptions: adds the stubdomain's element to @buf, inside <domain>, if there are options.
 * @cpus: gets the list of CPUs the stubdomain may run on, to be freed with g_free(), or NULL
 *
 * Returns 0, or -1 with an error reported.
 */
int stubdomNativeReadOptions(StubdomXlCfg *cfg, virBuffer *buf, char **cpus);
