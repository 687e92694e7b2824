/*
 * A domain's memory
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Methods of libvirt's driver table, but for the first; each is as documented for
 * the function of libvirt's API it is named after.
 */

#pragma once

#include "datatypes.h"

#include "stubdom_conf.h"

/**
 * stubdomMemoryApply: has a guest that was started with all of its memory give back what its definition says.
 * @vm: locked, with a job of ours; unlocked meanwhile
 *
 * Returns 0, or -1 with an error reported.
 */
int stubdomMemoryApply(StubdomDriver *driver, virDomainObj *vm);

unsigned long long stubdomDomainGetMaxMemory(virDomainPtr dom);
int stubdomDomainSetMaxMemory(virDomainPtr dom, unsigned long memory);
int stubdomDomainSetMemory(virDomainPtr dom, unsigned long memory);
int stubdomDomainSetMemoryFlags(virDomainPtr dom, unsigned long memory, unsigned int flags);
int stubdomDomainMemoryStats(virDomainPtr dom, virDomainMemoryStatPtr stats, unsigned int count, unsigned int flags);
int stubdomDomainGetNumaParameters(virDomainPtr dom, virTypedParameterPtr params, int *nparams, unsigned int flags);
