/*
 * Which elements a domain may have
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "domain_conf.h"

/**
 * stubdomValidateElements: refuses a domain with an element or attribute that the driver would have to drop.
 * @def: with all defaults filled in
 * @xmlopt: of the driver
 *
 * Returns 0, or -1 with VIR_ERR_CONFIG_UNSUPPORTED reported, which names the element and the reason. Values are not
 * looked at.
 */
int stubdomValidateElements(const virDomainDef *def, virDomainXMLOption *xmlopt);
