/*
 * A domain's vCPUs
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Methods of libvirt's driver table; each is as documented for the function of
 * libvirt's API it is named after.
 */

#pragma once

#include "datatypes.h"

int stubdomDomainSetVcpus(virDomainPtr dom, unsigned int count);
int stubdomDomainSetVcpusFlags(virDomainPtr dom, unsigned int count, unsigned int flags);
int stubdomDomainSetVcpu(virDomainPtr dom, const char *vcpumap, int state, unsigned int flags);
int stubdomDomainGetVcpusFlags(virDomainPtr dom, unsigned int flags);
int stubdomDomainGetMaxVcpus(virDomainPtr dom);
int stubdomDomainGetVcpus(virDomainPtr dom, virVcpuInfoPtr info, int maxinfo, unsigned char *maps, int length);
int stubdomDomainGetCPUStats(virDomainPtr dom, virTypedParameterPtr params, unsigned int nparams, int first,
                             unsigned int ncpus, unsigned int flags);
