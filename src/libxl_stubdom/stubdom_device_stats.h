/*
 * Statistics of one disk or network card
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Methods of libvirt's driver table; each is as documented for the function of
 * libvirt's API it is named after.
 */

#pragma once

#include "datatypes.h"

int stubdomDomainBlockStats(virDomainPtr dom, const char *path, virDomainBlockStatsPtr stats);
int stubdomDomainBlockStatsFlags(virDomainPtr dom, const char *path, virTypedParameterPtr params, int *nparams,
                                 unsigned int flags);
int stubdomDomainGetBlockInfo(virDomainPtr dom, const char *path, virDomainBlockInfoPtr info, unsigned int flags);
int stubdomDomainInterfaceStats(virDomainPtr dom, const char *device, virDomainInterfaceStatsPtr stats);
