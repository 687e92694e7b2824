/*
 * Domains as they are written down
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Every change is on the disk before it is reported and before its event goes
 * out. A change that cannot be written is taken back.
 */

#include "stubdom_compat.h"

#include "stubdom_define.h"

#include <unistd.h>

#include "domain_event.h"
#include "viraccessapicheck.h"

#include "stubdom_list.h"

/* What may be left over of a domain elsewhere. This driver keeps none of it, so there is nothing to remove. */
#define LEFTOVERS                                                                                                      \
    (VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA |                                       \
     VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA | VIR_DOMAIN_UNDEFINE_NVRAM | VIR_DOMAIN_UNDEFINE_KEEP_NVRAM)

/* Gives @vm the definition it had before, or removes it if it had none. */
static void
takeBack(StubdomDriver *driver, virDomainObj *vm, virDomainDef **before)
{
    if (!*before) {
        virDomainObjListRemove(driver->domains, vm);
        return;
    }
    virDomainDefFree(vm->def);
    vm->def = g_steal_pointer(before);
}

virDomainPtr
stubdomDomainDefineXMLFlags(virConnectPtr conn, const char *xml, unsigned int flags)
{
    StubdomDriver *driver = conn->privateData;
    g_autoptr(virDomainDef) def = NULL;
    g_autoptr(virDomainDef) before = NULL;
    unsigned int parseFlags = VIR_DOMAIN_DEF_PARSE_INACTIVE;
    virObjectEvent *event = NULL;
    virDomainPtr dom = NULL;
    virDomainObj *vm;

    virCheckFlags(VIR_DOMAIN_DEFINE_VALIDATE, NULL);
    if (flags & VIR_DOMAIN_DEFINE_VALIDATE) {
        parseFlags |= VIR_DOMAIN_DEF_PARSE_VALIDATE_SCHEMA;
    }
    if (!(def = virDomainDefParseString(xml, driver->xmlopt, NULL, parseFlags)) ||
        virDomainDefineXMLFlagsEnsureACL(conn, def) < 0 ||
        !(vm = virDomainObjListAdd(driver->domains, &def, driver->xmlopt, 0, &before))) {
        return NULL;
    }
    vm->persistent = 1;
    if (virDomainDefSave(vm->def, driver->xmlopt, driver->configDir) < 0) {
        takeBack(driver, vm, &before);
    } else {
        event = virDomainEventLifecycleNewFromObj(
            vm, VIR_DOMAIN_EVENT_DEFINED, before ? VIR_DOMAIN_EVENT_DEFINED_UPDATED : VIR_DOMAIN_EVENT_DEFINED_ADDED);
        dom = virGetDomain(conn, vm->def->name, vm->def->uuid, vm->def->id);
    }
    virDomainObjEndAPI(&vm);
    virObjectEventStateQueue(driver->events, event);
    return dom;
}

virDomainPtr
stubdomDomainDefineXML(virConnectPtr conn, const char *xml)
{
    return stubdomDomainDefineXMLFlags(conn, xml, 0);
}

int
stubdomDomainUndefineFlags(virDomainPtr dom, unsigned int flags)
{
    StubdomDriver *driver = dom->conn->privateData;
    virObjectEvent *event = NULL;
    virDomainObj *vm;
    int result = -1;

    virCheckFlags(LEFTOVERS, -1);
    if (!(vm = stubdomDomainFind(dom))) {
        return -1;
    }
    if (virDomainUndefineFlagsEnsureACL(dom->conn, vm->def) == 0 &&
        virDomainDeleteConfig(driver->configDir, driver->autostartDir, vm) == 0) {
        event = virDomainEventLifecycleNewFromObj(vm, VIR_DOMAIN_EVENT_UNDEFINED, VIR_DOMAIN_EVENT_UNDEFINED_REMOVED);
        virDomainObjListRemove(driver->domains, vm);
        result = 0;
    }
    virDomainObjEndAPI(&vm);
    virObjectEventStateQueue(driver->events, event);
    return result;
}

int
stubdomDomainUndefine(virDomainPtr dom)
{
    return stubdomDomainUndefineFlags(dom, 0);
}

static int
removeLink(const char *link)
{
    if (unlink(link) < 0 && errno != ENOENT && errno != ENOTDIR) {
        virReportSystemError(errno, _("cannot remove the link '%s'"), link);
        return -1;
    }
    return 0;
}

static int
setAutostartLink(const StubdomDriver *driver, const char *name, bool autostart)
{
    g_autofree char *file = virDomainConfigFile(driver->configDir, name);
    g_autofree char *link = virDomainConfigFile(driver->autostartDir, name);

    if (removeLink(link) < 0) {
        return -1;
    }
    if (autostart && symlink(file, link) < 0) {
        virReportSystemError(errno, _("cannot make the link '%s' to '%s'"), link, file);
        return -1;
    }
    return 0;
}

static int
removeConfig(const StubdomDriver *driver, const char *name)
{
    g_autofree char *file = virDomainConfigFile(driver->configDir, name);

    if (unlink(file) < 0 && errno != ENOENT) {
        virReportSystemError(errno, _("cannot remove the file '%s'"), file);
        return -1;
    }
    return 0;
}

/* Writes the domain down under its new name, then forgets the old one. At no time it is written down under none. */
static int
moveConfig(const StubdomDriver *driver, virDomainObj *vm, const char *before)
{
    if (virDomainDefSave(vm->def, driver->xmlopt, driver->configDir) < 0 ||
        setAutostartLink(driver, vm->def->name, vm->autostart) < 0) {
        return -1;
    }
    return removeConfig(driver, before);
}

static int
renameCallback(virDomainObj *vm, const char *name, unsigned int flags, void *opaque)
{
    StubdomDriver *driver = opaque;
    g_autofree char *before = vm->def->name;
    virObjectEvent *undefined =
        virDomainEventLifecycleNewFromObj(vm, VIR_DOMAIN_EVENT_UNDEFINED, VIR_DOMAIN_EVENT_UNDEFINED_RENAMED);
    virErrorPtr error = NULL;

    vm->def->name = g_strdup(name);
    if (moveConfig(driver, vm, before) < 0) {
        virErrorPreserveLast(&error);
        ignore_value(setAutostartLink(driver, name, false));
        ignore_value(removeConfig(driver, name));
        virErrorRestore(&error);
        g_free(vm->def->name);
        vm->def->name = g_steal_pointer(&before);
        virObjectUnref(undefined);
        return -1;
    }
    if (setAutostartLink(driver, before, false) < 0) {
        virResetLastError(); /* a link to a file that is gone starts nothing */
    }
    virObjectEventStateQueue(driver->events, undefined);
    virObjectEventStateQueue(driver->events, virDomainEventLifecycleNewFromObj(vm, VIR_DOMAIN_EVENT_DEFINED,
                                                                               VIR_DOMAIN_EVENT_DEFINED_RENAMED));
    return 0;
}

int
stubdomDomainRename(virDomainPtr dom, const char *name, unsigned int flags)
{
    StubdomDriver *driver = dom->conn->privateData;
    virDomainObj *vm;
    int result = -1;

    virCheckFlags(0, -1);
    if (!(vm = stubdomDomainFind(dom))) {
        return -1;
    }
    if (virDomainRenameEnsureACL(dom->conn, vm->def) == 0) {
        if (strpbrk(name, "/\n")) {
            virReportError(VIR_ERR_XML_ERROR, _("the name '%s' has a '/' or a line break"), name);
        } else {
            result = virDomainObjListRename(driver->domains, vm, name, flags, renameCallback, driver);
        }
    }
    virDomainObjEndAPI(&vm);
    return result;
}

int
stubdomDomainGetAutostart(virDomainPtr dom, int *autostart)
{
    virDomainObj *vm = stubdomDomainFind(dom);
    int result = -1;

    if (vm && virDomainGetAutostartEnsureACL(dom->conn, vm->def) == 0) {
        *autostart = vm->autostart;
        result = 0;
    }
    virDomainObjEndAPI(&vm);
    return result;
}

int
stubdomDomainSetAutostart(virDomainPtr dom, int autostart)
{
    StubdomDriver *driver = dom->conn->privateData;
    virDomainObj *vm = stubdomDomainFind(dom);
    int result = -1;

    if (vm && virDomainSetAutostartEnsureACL(dom->conn, vm->def) == 0 &&
        setAutostartLink(driver, vm->def->name, autostart != 0) == 0) {
        vm->autostart = autostart != 0;
        result = 0;
    }
    virDomainObjEndAPI(&vm);
    return result;
}

int
stubdomDomainSetMetadata(virDomainPtr dom, int type, const char *metadata, const char *key, const char *uri,
                         unsigned int flags)
{
    StubdomDriver *driver = dom->conn->privateData;
    virObjectEvent *event = NULL;
    virDomainObj *vm;
    int result = -1;

    virCheckFlags(VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG, -1);
    if (!(vm = stubdomDomainFind(dom))) {
        return -1;
    }
    if (virDomainSetMetadataEnsureACL(dom->conn, vm->def, flags) == 0) {
        result = virDomainObjSetMetadata(vm, type, metadata, key, uri, driver->xmlopt, driver->stateDir,
                                         driver->configDir, flags);
    }
    if (result == 0) {
        event = virDomainEventMetadataChangeNewFromObj(vm, type, uri);
    }
    virDomainObjEndAPI(&vm);
    virObjectEventStateQueue(driver->events, event);
    return result;
}
