/*
 * What is inside a guest
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Methods of libvirt's driver table; each is as documented for the function of
 * libvirt's API it is named after.
 */

#pragma once

#include "datatypes.h"

char *stubdomDomainGetHostname(virDomainPtr dom, unsigned int flags);
int stubdomDomainInterfaceAddresses(virDomainPtr dom, virDomainInterfacePtr **interfaces, unsigned int source,
                                    unsigned int flags);
int stubdomDomainGetTime(virDomainPtr dom, long long *seconds, unsigned int *nseconds, unsigned int flags);
int stubdomDomainSetTime(virDomainPtr dom, long long seconds, unsigned int nseconds, unsigned int flags);
int stubdomDomainInjectNMI(virDomainPtr dom, unsigned int flags);
int stubdomDomainGetSecurityLabel(virDomainPtr dom, virSecurityLabelPtr label);
