/*
 * A domain's memory
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Methods of libvirt's driver table; each is as documented for the function of
 * libvirt's API it is named after.
 */

#pragma once

#include "datatypes.h"

unsigned long long stubdomDomainGetMaxMemory(virDomainPtr dom);
int stubdomDomainSetMaxMemory(virDomainPtr dom, unsigned long memory);
int stubdomDomainSetMemory(virDomainPtr dom, unsigned long memory);
int stubdomDomainSetMemoryFlags(virDomainPtr dom, unsigned long memory, unsigned int flags);
int stubdomDomainMemoryStats(virDomainPtr dom, virDomainMemoryStatPtr stats, unsigned int count, unsigned int flags);
int stubdomDomainGetNumaParameters(virDomainPtr dom, virTypedParameterPtr params, int *nparams, unsigned int flags);
