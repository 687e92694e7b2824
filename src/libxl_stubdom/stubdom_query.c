/*
 * What is known of a domain
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * From its definition, and of one that runs also from Xen, by short questions.
 */

#include "stubdom_compat.h"

#include "stubdom_query.h"

#include "viraccessapicheck.h"

#include "stubdom_guest.h"
#include "stubdom_list.h"
#include "stubdom_private.h"
#include "stubdom_xendomain.h"

char *
stubdomDomainGetXMLDesc(virDomainPtr dom, unsigned int flags)
{
    StubdomDriver *driver = dom->conn->privateData;
    virDomainObj *vm;
    char *xml = NULL;

    virCheckFlags(VIR_DOMAIN_XML_COMMON_FLAGS, NULL);
    if (!(vm = stubdomDomainFind(dom))) {
        return NULL;
    }
    if (virDomainGetXMLDescEnsureACL(dom->conn, vm->def, flags) == 0) {
        const virDomainDef *def = (flags & VIR_DOMAIN_XML_INACTIVE) && vm->newDef ? vm->newDef : vm->def;

        xml = virDomainDefFormat((virDomainDef *)def, driver->xmlopt, virDomainDefFormatConvertXMLFlags(flags));
    }
    virDomainObjEndAPI(&vm);
    return xml;
}

char *
stubdomDomainGetMetadata(virDomainPtr dom, int type, const char *uri, unsigned int flags)
{
    virDomainObj *vm = stubdomDomainFind(dom);
    char *metadata = NULL;

    if (vm && virDomainGetMetadataEnsureACL(dom->conn, vm->def) == 0) {
        metadata = virDomainObjGetMetadata(vm, type, uri, flags);
    }
    virDomainObjEndAPI(&vm);
    return metadata;
}

char *
stubdomDomainGetOSType(virDomainPtr dom)
{
    virDomainObj *vm = stubdomDomainFind(dom);
    char *type = NULL;

    if (vm && virDomainGetOSTypeEnsureACL(dom->conn, vm->def) == 0) {
        type = g_strdup(virDomainOSTypeToString(vm->def->os.type));
    }
    virDomainObjEndAPI(&vm);
    return type;
}

/* The maximum is the definition's; Xen's own has a little more. */
int
stubdomDomainGetInfo(virDomainPtr dom, virDomainInfoPtr info)
{
    const StubdomDriver *driver = dom->conn->privateData;
    virDomainObj *vm = stubdomDomainFind(dom);
    StubdomXenDomain guest;
    int result = -1;

    if (vm && virDomainGetInfoEnsureACL(dom->conn, vm->def) == 0) {
        result = stubdomXenDomainGet(driver, vm, &guest);
    }
    if (result >= 0) {
        info->state = (unsigned char)virDomainObjGetState(vm, NULL);
        info->maxMem = virDomainDefGetMemoryTotal(vm->def);
        info->memory = result ? MIN(guest.memory, info->maxMem) : vm->def->mem.cur_balloon;
        info->nrVirtCpu = (unsigned short)virDomainDefGetVcpus(vm->def);
        info->cpuTime = result ? guest.cpuTime : 0;
        result = 0;
    }
    virDomainObjEndAPI(&vm);
    return result;
}

/* What others did to a domain meanwhile, with xl say. Who has a job is about to change its state. */
static void
refreshState(const StubdomDriver *driver, virDomainObj *vm)
{
    uint32_t domid = 0;

    if (virDomainObjIsActive(vm) && driver->libxl && !vm->job->active && stubdomDomid(vm, &domid)) {
        stubdomGuestRefresh(vm, stubdomGuestLife(driver->libxl, domid, vm->def->uuid));
    }
}

int
stubdomDomainGetState(virDomainPtr dom, int *state, int *reason, unsigned int flags)
{
    virDomainObj *vm;
    int result = -1;

    virCheckFlags(0, -1);
    if (!(vm = stubdomDomainFind(dom))) {
        return -1;
    }
    if (virDomainGetStateEnsureACL(dom->conn, vm->def) == 0) {
        refreshState(dom->conn->privateData, vm);
        *state = virDomainObjGetState(vm, reason);
        result = 0;
    }
    virDomainObjEndAPI(&vm);
    return result;
}

int
stubdomDomainIsActive(virDomainPtr dom)
{
    virDomainObj *vm = stubdomDomainFind(dom);
    int result = -1;

    if (vm && virDomainIsActiveEnsureACL(dom->conn, vm->def) == 0) {
        result = virDomainObjIsActive(vm);
    }
    virDomainObjEndAPI(&vm);
    return result;
}

int
stubdomDomainIsPersistent(virDomainPtr dom)
{
    virDomainObj *vm = stubdomDomainFind(dom);
    int result = -1;

    if (vm && virDomainIsPersistentEnsureACL(dom->conn, vm->def) == 0) {
        result = vm->persistent;
    }
    virDomainObjEndAPI(&vm);
    return result;
}

int
stubdomDomainIsUpdated(virDomainPtr dom)
{
    virDomainObj *vm = stubdomDomainFind(dom);
    int result = -1;

    if (vm && virDomainIsUpdatedEnsureACL(dom->conn, vm->def) == 0) {
        result = vm->updated;
    }
    virDomainObjEndAPI(&vm);
    return result;
}
