/*
 * PCI devices of the host in an xl.cfg(5)
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "virbuffer.h"

#include "stubdom_libxl_config.h"
#include "stubdom_xl_cfg.h"

/**
 * stubdomNativeReadPci: adds a <hostdev> for each device to @devices, inside <devices>.
 * stubdomNativeReadPciSettings: adds a <stubdom:hostdev> for each device that has some to @settings, inside
 * <stubdom:stubdomain>.
 * @reset: whether pci-reset=optional is said
 *
 * Both return 0, or -1 with an error reported.
 */
int stubdomNativeReadPci(StubdomXlCfg *cfg, virBuffer *devices);
int stubdomNativeReadPciSettings(StubdomXlCfg *cfg, virBuffer *settings, bool reset);

/**
 * stubdomNativeReadPassthrough: adds <xen> to @features if something is said about the IOMMU.
 *
 * Returns 0, or -1 with an error reported.
 */
int stubdomNativeReadPassthrough(StubdomXlCfg *cfg, virBuffer *features);

/**
 * stubdomNativePciSpecs: the devices of @config as xl has them.
 *
 * Returns a list to be freed with g_strfreev(), or NULL with an error reported if there are no words for one.
 */
char **stubdomNativePciSpecs(const StubdomLibxlConfig *config, const virDomainDef *def);
