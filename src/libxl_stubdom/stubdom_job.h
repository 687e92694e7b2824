/*
 * What is being done to a domain
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Methods of libvirt's driver table; each is as documented for the function of
 * libvirt's API it is named after.
 */

#pragma once

#include "datatypes.h"

int stubdomDomainGetJobInfo(virDomainPtr dom, virDomainJobInfoPtr info);
int stubdomDomainGetJobStats(virDomainPtr dom, int *type, virTypedParameterPtr *params, int *nparams,
                             unsigned int flags);
