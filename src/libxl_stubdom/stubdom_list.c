/*
 * Finding and counting domains
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Glue: libvirt's domain list does the work.
 */

#include "stubdom_compat.h"

#include "stubdom_list.h"

#include "viraccessapicheck.h"
#include "viruuid.h"

virDomainObj *
stubdomDomainFind(virDomainPtr dom)
{
    StubdomDriver *driver = dom->conn->privateData;
    virDomainObj *vm = virDomainObjListFindByUUID(driver->domains, dom->uuid);
    char uuid[VIR_UUID_STRING_BUFLEN];

    if (!vm) {
        virUUIDFormat(dom->uuid, uuid);
        virReportError(VIR_ERR_NO_DOMAIN, _("there is no domain with the UUID '%s' (%s)"), uuid, dom->name);
    }
    return vm;
}

int
stubdomConnectNumOfDomains(virConnectPtr conn)
{
    StubdomDriver *driver = conn->privateData;

    if (virConnectNumOfDomainsEnsureACL(conn) < 0) {
        return -1;
    }
    return virDomainObjListNumOfDomains(driver->domains, true, virConnectNumOfDomainsCheckACL, conn);
}

int
stubdomConnectListDomains(virConnectPtr conn, int *ids, int maxids)
{
    StubdomDriver *driver = conn->privateData;

    if (virConnectListDomainsEnsureACL(conn) < 0) {
        return -1;
    }
    return virDomainObjListGetActiveIDs(driver->domains, ids, maxids, virConnectListDomainsCheckACL, conn);
}

int
stubdomConnectNumOfDefinedDomains(virConnectPtr conn)
{
    StubdomDriver *driver = conn->privateData;

    if (virConnectNumOfDefinedDomainsEnsureACL(conn) < 0) {
        return -1;
    }
    return virDomainObjListNumOfDomains(driver->domains, false, virConnectNumOfDefinedDomainsCheckACL, conn);
}

int
stubdomConnectListDefinedDomains(virConnectPtr conn, char **const names, int maxnames)
{
    StubdomDriver *driver = conn->privateData;

    memset(names, 0, sizeof(*names) * (size_t)maxnames);
    if (virConnectListDefinedDomainsEnsureACL(conn) < 0) {
        return -1;
    }
    return virDomainObjListGetInactiveNames(driver->domains, names, maxnames, virConnectListDefinedDomainsCheckACL,
                                            conn);
}

int
stubdomConnectListAllDomains(virConnectPtr conn, virDomainPtr **domains, unsigned int flags)
{
    StubdomDriver *driver = conn->privateData;

    virCheckFlags(VIR_CONNECT_LIST_DOMAINS_FILTERS_ALL, -1);
    if (virConnectListAllDomainsEnsureACL(conn) < 0) {
        return -1;
    }
    return virDomainObjListExport(driver->domains, conn, domains, virConnectListAllDomainsCheckACL, flags);
}

virDomainPtr
stubdomDomainLookupByID(virConnectPtr conn, int id)
{
    StubdomDriver *driver = conn->privateData;
    virDomainObj *vm = virDomainObjListFindByID(driver->domains, id);
    virDomainPtr dom = NULL;

    if (!vm) {
        virReportError(VIR_ERR_NO_DOMAIN, _("there is no domain with the id %d"), id);
        return NULL;
    }
    if (virDomainLookupByIDEnsureACL(conn, vm->def) == 0) {
        dom = virGetDomain(conn, vm->def->name, vm->def->uuid, vm->def->id);
    }
    virDomainObjEndAPI(&vm);
    return dom;
}

virDomainPtr
stubdomDomainLookupByUUID(virConnectPtr conn, const unsigned char *uuid)
{
    StubdomDriver *driver = conn->privateData;
    virDomainObj *vm = virDomainObjListFindByUUID(driver->domains, uuid);
    virDomainPtr dom = NULL;

    if (!vm) {
        char text[VIR_UUID_STRING_BUFLEN];

        virUUIDFormat(uuid, text);
        virReportError(VIR_ERR_NO_DOMAIN, _("there is no domain with the UUID '%s'"), text);
        return NULL;
    }
    if (virDomainLookupByUUIDEnsureACL(conn, vm->def) == 0) {
        dom = virGetDomain(conn, vm->def->name, vm->def->uuid, vm->def->id);
    }
    virDomainObjEndAPI(&vm);
    return dom;
}

virDomainPtr
stubdomDomainLookupByName(virConnectPtr conn, const char *name)
{
    StubdomDriver *driver = conn->privateData;
    virDomainObj *vm = virDomainObjListFindByName(driver->domains, name);
    virDomainPtr dom = NULL;

    if (!vm) {
        virReportError(VIR_ERR_NO_DOMAIN, _("there is no domain with the name '%s'"), name);
        return NULL;
    }
    if (virDomainLookupByNameEnsureACL(conn, vm->def) == 0) {
        dom = virGetDomain(conn, vm->def->name, vm->def->uuid, vm->def->id);
    }
    virDomainObjEndAPI(&vm);
    return dom;
}
