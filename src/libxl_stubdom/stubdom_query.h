/*
 * What is known of a domain
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Methods of libvirt's driver table; each is as documented for the function of
 * libvirt's API it is named after.
 */

#pragma once

#include "datatypes.h"

char *stubdomDomainGetXMLDesc(virDomainPtr dom, unsigned int flags);
char *stubdomDomainGetMetadata(virDomainPtr dom, int type, const char *uri, unsigned int flags);
char *stubdomDomainGetOSType(virDomainPtr dom);
int stubdomDomainGetInfo(virDomainPtr dom, virDomainInfoPtr info);
int stubdomDomainGetState(virDomainPtr dom, int *state, int *reason, unsigned int flags);
int stubdomDomainIsActive(virDomainPtr dom);
int stubdomDomainIsPersistent(virDomainPtr dom);
int stubdomDomainIsUpdated(virDomainPtr dom);
