/*
 * Finding and counting domains
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Methods of libvirt's driver table; each is as documented for the function of
 * libvirt's API it is named after.
 */

#pragma once

#include "datatypes.h"
#include "stubdom_conf.h"

/**
 * stubdomDomainFind: the domain @dom stands for.
 *
 * Returns it locked and referenced, to be given back with virDomainObjEndAPI(), or NULL with VIR_ERR_NO_DOMAIN
 * reported.
 */
virDomainObj *stubdomDomainFind(virDomainPtr dom);

int stubdomConnectNumOfDomains(virConnectPtr conn);
int stubdomConnectListDomains(virConnectPtr conn, int *ids, int maxids);
int stubdomConnectNumOfDefinedDomains(virConnectPtr conn);
int stubdomConnectListDefinedDomains(virConnectPtr conn, char **const names, int maxnames);
int stubdomConnectListAllDomains(virConnectPtr conn, virDomainPtr **domains, unsigned int flags);
virDomainPtr stubdomDomainLookupByID(virConnectPtr conn, int id);
virDomainPtr stubdomDomainLookupByUUID(virConnectPtr conn, const unsigned char *uuid);
virDomainPtr stubdomDomainLookupByName(virConnectPtr conn, const char *name);
