/*
 * A domain's share of the processors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Methods of libvirt's driver table; each is as documented for the function of
 * libvirt's API it is named after.
 */

#pragma once

#include "datatypes.h"

char *stubdomDomainGetSchedulerType(virDomainPtr dom, int *nparams);
int stubdomDomainGetSchedulerParameters(virDomainPtr dom, virTypedParameterPtr params, int *nparams);
int stubdomDomainGetSchedulerParametersFlags(virDomainPtr dom, virTypedParameterPtr params, int *nparams,
                                             unsigned int flags);
int stubdomDomainSetSchedulerParameters(virDomainPtr dom, virTypedParameterPtr params, int nparams);
int stubdomDomainSetSchedulerParametersFlags(virDomainPtr dom, virTypedParameterPtr params, int nparams,
                                             unsigned int flags);
