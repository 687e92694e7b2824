/*
 * Methods that save and restore domains
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Methods of libvirt's driver table; each is as documented for the function of
 * libvirt's API it is named after.
 */

#pragma once

#include "datatypes.h"

int stubdomDomainSaveTo(virDomainPtr dom, const char *to);
int stubdomDomainSaveFlags(virDomainPtr dom, const char *to, const char *xml, unsigned int flags);
int stubdomDomainSaveParams(virDomainPtr dom, virTypedParameterPtr params, int nparams, unsigned int flags);
int stubdomDomainRestore(virConnectPtr conn, const char *from);
int stubdomDomainRestoreFlags(virConnectPtr conn, const char *from, const char *xml, unsigned int flags);
int stubdomDomainRestoreParams(virConnectPtr conn, virTypedParameterPtr params, int nparams, unsigned int flags);
int stubdomDomainManagedSave(virDomainPtr dom, unsigned int flags);
int stubdomDomainHasManagedSaveImage(virDomainPtr dom, unsigned int flags);
int stubdomDomainManagedSaveRemove(virDomainPtr dom, unsigned int flags);
