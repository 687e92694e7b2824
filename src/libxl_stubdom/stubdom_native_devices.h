/*
 * The devices of an xl.cfg(5)
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "virbuffer.h"

#include "stubdom_xl_cfg.h"

/**
 * stubdomNativeReadDevices: adds <devices> to @buf, inside <domain>.
 *
 * Returns 0, or -1 with an error reported.
 */
int stubdomNativeReadDevices(StubdomXlCfg *cfg, virBuffer *buf);
