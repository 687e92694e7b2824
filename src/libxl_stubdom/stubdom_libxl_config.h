/*
 * A domain as libxl wants it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <libxl.h>

#include "domain_conf.h"

#include "stubdom_settings.h"

typedef libxl_domain_config StubdomLibxlConfig;

/* A configuration that may be disposed of without having been built. */
#define STUBDOM_LIBXL_CONFIG_INIT                                                                                      \
    {                                                                                                                  \
        .num_disks = 0                                                                                                 \
    }

/**
 * stubdomLibxlConfigBuild: translates @def.
 * @config: STUBDOM_LIBXL_CONFIG_INIT, to be disposed of also on failure
 * @def: with all defaults of libvirt's filled in
 * @defaults: for what @def does not say about the stubdomain
 *
 * Without effects and without Xen: it is also how a definition is checked.
 *
 * Returns 0, or -1 with an error reported; VIR_ERR_CONFIG_UNSUPPORTED names the element that cannot be mapped and the
 * reason.
 */
int stubdomLibxlConfigBuild(StubdomLibxlConfig *config, const virDomainDef *def, const StubdomSettings *defaults);

/**
 * stubdomLibxlConfigToJson: @config as JSON of a libxl_domain_config, which xen-stubdom-dm's `config=` and
 * libxl_domain_config_from_json() read.
 *
 * Returns a string to be freed with g_free(), or NULL with an error reported.
 */
char *stubdomLibxlConfigToJson(StubdomLibxlConfig *config);

static inline void
stubdomLibxlConfigDispose(StubdomLibxlConfig *config)
{
    libxl_domain_config_dispose(config);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(StubdomLibxlConfig, stubdomLibxlConfigDispose)
