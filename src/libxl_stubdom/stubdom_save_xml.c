/*
 * Methods on the domain in a save image
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the guest does not see of its domain may be changed while it is saved:
 * where its disks are, which bridge its cards are on, titles and limits.
 */

#include "stubdom_compat.h"

#include "stubdom_save_xml.h"

#include "viraccessapicheck.h"

#include "stubdom_list.h"
#include "stubdom_managed.h"
#include "stubdom_method.h"
#include "stubdom_save_image.h"

#define DEFINE_FLAGS (VIR_DOMAIN_SAVE_RUNNING | VIR_DOMAIN_SAVE_PAUSED)

static virDomainDef *
parse(const StubdomDriver *driver, const char *xml)
{
    return virDomainDefParseString(xml, driver->xmlopt, NULL, VIR_DOMAIN_DEF_PARSE_INACTIVE);
}

static char *
format(const StubdomDriver *driver, virDomainDef *def, unsigned int flags)
{
    unsigned int formatFlags = VIR_DOMAIN_DEF_FORMAT_INACTIVE;

    formatFlags |= flags & VIR_DOMAIN_SAVE_IMAGE_XML_SECURE ? VIR_DOMAIN_DEF_FORMAT_SECURE : 0;
    return virDomainDefFormat(def, driver->xmlopt, formatFlags);
}

/* @flags: whether it is to run or stay paused; 0: as it was */
static int
redefine(const StubdomDriver *driver, StubdomSaveImage *image, virDomainDef *own, virDomainDef *def, unsigned int flags)
{
    StubdomSaveHeader header = {.format = image->header.format, .paused = image->header.paused};

    if (!virDomainDefCheckABIStability(own, def, driver->xmlopt) ||
        !(header.xml = format(driver, def, VIR_DOMAIN_SAVE_IMAGE_XML_SECURE))) {
        return -1;
    }
    header.cookie = g_strdup(image->header.cookie);
    if (flags) {
        header.paused = flags & VIR_DOMAIN_SAVE_PAUSED;
    }
    return stubdomSaveImageReplaceHeader(image, &header);
}

char *
stubdomDomainSaveImageGetXMLDesc(virConnectPtr conn, const char *file, unsigned int flags)
{
    StubdomDriver *driver = conn->privateData;
    g_autoptr(StubdomSaveImage) image = NULL;
    g_autoptr(virDomainDef) def = NULL;

    virCheckFlags(VIR_DOMAIN_SAVE_IMAGE_XML_SECURE, NULL);
    if (!(image = stubdomSaveImageOpen(file)) || !(def = parse(driver, image->header.xml)) ||
        virDomainSaveImageGetXMLDescEnsureACL(conn, def) < 0) {
        return NULL;
    }
    return format(driver, def, flags);
}

int
stubdomDomainSaveImageDefineXML(virConnectPtr conn, const char *file, const char *xml, unsigned int flags)
{
    StubdomDriver *driver = conn->privateData;
    g_autoptr(StubdomSaveImage) image = NULL;
    g_autoptr(virDomainDef) own = NULL;
    g_autoptr(virDomainDef) def = NULL;

    virCheckFlags(DEFINE_FLAGS, -1);
    if (!(image = stubdomSaveImageOpen(file)) || !(own = parse(driver, image->header.xml)) ||
        virDomainSaveImageDefineXMLEnsureACL(conn, own) < 0 || !(def = parse(driver, xml))) {
        return -1;
    }
    return redefine(driver, image, own, def, flags);
}

/* With @vm locked. */
static StubdomSaveImage *
openManaged(const StubdomDriver *driver, const virDomainObj *vm)
{
    g_autofree char *path = stubdomManagedPath(driver, vm);

    if (!stubdomManagedExists(driver, vm)) {
        virReportError(VIR_ERR_NO_DOMAIN_METADATA, _("the domain '%s' has no managed save image"), vm->def->name);
        return NULL;
    }
    return stubdomSaveImageOpen(path);
}

char *
stubdomDomainManagedSaveGetXMLDesc(virDomainPtr dom, unsigned int flags)
{
    StubdomDriver *driver = dom->conn->privateData;
    virDomainObj *vm;
    char *xml = NULL;

    virCheckFlags(VIR_DOMAIN_SAVE_IMAGE_XML_SECURE, NULL);
    if (!(vm = stubdomDomainFind(dom))) {
        return NULL;
    }
    if (virDomainManagedSaveGetXMLDescEnsureACL(dom->conn, vm->def, flags) == 0) {
        g_autoptr(StubdomSaveImage) image = openManaged(driver, vm);
        g_autoptr(virDomainDef) def = image ? parse(driver, image->header.xml) : NULL;

        xml = def ? format(driver, def, flags) : NULL;
    }
    virDomainObjEndAPI(&vm);
    return xml;
}

/* The image is copied, which may take long; the job keeps it from being restored or removed meanwhile. */
static int
defineManaged(const StubdomDriver *driver, virDomainObj *vm, const char *xml, unsigned int flags)
{
    g_autoptr(StubdomSaveImage) image = openManaged(driver, vm);
    g_autoptr(virDomainDef) own = image ? parse(driver, image->header.xml) : NULL;
    g_autoptr(virDomainDef) def = own ? parse(driver, xml) : NULL;
    int status;

    if (!def) {
        return -1;
    }
    virObjectUnlock(vm);
    status = redefine(driver, image, own, def, flags);
    virObjectLock(vm);
    return status;
}

int
stubdomDomainManagedSaveDefineXML(virDomainPtr dom, const char *xml, unsigned int flags)
{
    virDomainObj *vm;
    int result = -1;

    virCheckFlags(DEFINE_FLAGS, -1);
    if (!(vm = stubdomDomainFind(dom))) {
        return -1;
    }
    if (virDomainManagedSaveDefineXMLEnsureACL(dom->conn, vm->def) == 0 &&
        stubdomDomainBeginJob(vm, VIR_JOB_MODIFY, false) == 0) {
        result = defineManaged(dom->conn->privateData, vm, xml, flags);
        virDomainObjEndJob(vm);
    }
    virDomainObjEndAPI(&vm);
    return result;
}
