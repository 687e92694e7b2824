/*
 * The display of an xl.cfg(5)
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "stubdom_libxl_config.h"
#include "stubdom_xl_cfg.h"
#include "virbuffer.h"

/**
 * stubdomNativeReadDisplay: adds the video card and the graphics of @cfg to the devices of a domain's XML.
 *
 * Returns 0, or -1 with an error reported.
 */
int stubdomNativeReadDisplay(StubdomXlCfg *cfg, virBuffer *buf);

/**
 * stubdomNativeWriteDisplay: adds both to an xl.cfg(5).
 * @info: of the translation of @def
 *
 * Returns 0, or -1 with an error reported if there are no words for something.
 */
int stubdomNativeWriteDisplay(virBuffer *buf, const libxl_domain_build_info *info, const virDomainDef *def);
