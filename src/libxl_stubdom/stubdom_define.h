/*
 * Domains as they are written down
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
 * stubdomDomainAdd: puts a definition into the list, with a new domain or with the one that has its UUID.
 * @def: taken on success
 * @flags: of VIR_DOMAIN_OBJ_LIST_ADD_…
 * @before: set to the definition it replaces, or NULL; may be NULL
 *
 * Returns the domain, locked and referenced and with a job (VIR_JOB_MODIFY) that virDomainObjEndJob() ends; or NULL
 * with an error reported.
 */
virDomainObj *stubdomDomainAdd(StubdomDriver *driver, virDomainDef **def, unsigned int flags, virDomainDef **before);

virDomainPtr stubdomDomainDefineXML(virConnectPtr conn, const char *xml);
virDomainPtr stubdomDomainDefineXMLFlags(virConnectPtr conn, const char *xml, unsigned int flags);
int stubdomDomainUndefine(virDomainPtr dom);
int stubdomDomainUndefineFlags(virDomainPtr dom, unsigned int flags);
int stubdomDomainRename(virDomainPtr dom, const char *name, unsigned int flags);
int stubdomDomainGetAutostart(virDomainPtr dom, int *autostart);
int stubdomDomainSetAutostart(virDomainPtr dom, int autostart);
int stubdomDomainSetMetadata(virDomainPtr dom, int type, const char *metadata, const char *key, const char *uri,
                             unsigned int flags);
