/*
 * What xen-stubdom-dm is told of a domain's display
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "domain_conf.h"

#include "stubdom_defaults_display.h"

/**
 * stubdomDisplayPassword: the password of a display, or NULL if it has none.
 * @defaults: its password counts for a display without one
 */
const char *stubdomDisplayPassword(const virDomainGraphicsDef *graphics, const StubdomDisplayDefaults *defaults);

/**
 * stubdomDisplayConfigToJson: the file of the option `display`, see xen-stubdom-dm(8).
 * @def: a live definition with a display, prepared by stubdomGraphicsPrepare()
 *
 * That there is a password is said in it, and which it is not.
 *
 * Returns a string to be freed with g_free(), or NULL with an error reported.
 */
char *stubdomDisplayConfigToJson(const virDomainDef *def, const StubdomDisplayDefaults *defaults);
