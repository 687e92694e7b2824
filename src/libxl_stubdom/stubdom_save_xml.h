/*
 * Methods on the domain in a save image
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Methods of libvirt's driver table; each is as documented for the function of
 * libvirt's API it is named after.
 */

#pragma once

#include "datatypes.h"

char *stubdomDomainSaveImageGetXMLDesc(virConnectPtr conn, const char *file, unsigned int flags);
int stubdomDomainSaveImageDefineXML(virConnectPtr conn, const char *file, const char *xml, unsigned int flags);
char *stubdomDomainManagedSaveGetXMLDesc(virDomainPtr dom, unsigned int flags);
int stubdomDomainManagedSaveDefineXML(virDomainPtr dom, const char *xml, unsigned int flags);
