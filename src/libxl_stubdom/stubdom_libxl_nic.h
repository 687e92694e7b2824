/*
 * A network card as libxl wants it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "stubdom_libxl_config.h"

/**
 * stubdomLibxlNicBuild: translates one network card, for a start as well as for a hot plug.
 * @to: initialised with libxl_device_nic_init(), to be disposed of also on failure
 * @net: of the type 'network' it may be one whose port has not been allocated yet: then it has no bridge
 * @devid: the card's number in the guest
 *
 * Returns 0, or -1 with an error reported, as stubdomLibxlConfigBuild() does.
 */
int stubdomLibxlNicBuild(libxl_device_nic *to, const virDomainNetDef *net, int devid);

/**
 * stubdomLibxlNicNumber: libxl's number of a network card of a domain that is started; a device of the host is none.
 * @index: in def->nets
 */
int stubdomLibxlNicNumber(const virDomainDef *def, size_t index);

/**
 * stubdomLibxlNicsBuild: translates all network cards of @def, in their order, and checks what concerns them together.
 *
 * Returns 0, or -1 with an error reported.
 */
int stubdomLibxlNicsBuild(StubdomLibxlConfig *config, const virDomainDef *def);
