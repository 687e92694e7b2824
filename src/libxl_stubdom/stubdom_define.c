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
#include "stubdom_managed.h"
#include "stubdom_method.h"
#include "stubdom_process.h"

/* What may be left over of a domain. Of it this driver only keeps managed save images. */
#define LEFTOVERS                                                                                                      \
    (VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA |                                       \
     VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA | VIR_DOMAIN_UNDEFINE_NVRAM | VIR_DOMAIN_UNDEFINE_KEEP_NVRAM)

/* A domain nobody else can have a job for yet. */
static virDomainObj *
addNew(StubdomDriver *driver, virDomainDef **def, unsigned int flags, virDomainDef **before)
{
    virDomainObj *vm = virDomainObjListAdd(driver->domains, def, driver->xmlopt, flags, before);

    if (vm && virDomainObjBeginJob(vm, VIR_JOB_MODIFY) < 0) {
        virDomainObjListRemove(driver->domains, vm);
        virDomainObjEndAPI(&vm);
    }
    return vm;
}

/* The job of @vm, which is locked, keeps it in the list and its definitions as they are until they are replaced here.
 */
static virDomainObj *
addToExisting(StubdomDriver *driver, virDomainObj *vm, virDomainDef **def, unsigned int flags, virDomainDef **before)
{
    virDomainObj *same;

    if (virDomainObjBeginJob(vm, VIR_JOB_MODIFY) < 0) {
        virDomainObjEndAPI(&vm);
        return NULL;
    }
    virObjectUnlock(vm);
    same = virDomainObjListAdd(driver->domains, def, driver->xmlopt, flags, before);
    if (!same) {
        virObjectLock(vm);
        virDomainObjEndJob(vm);
        virDomainObjEndAPI(&vm);
        return NULL;
    }
    virObjectUnref(vm);
    return same;
}

virDomainObj *
stubdomDomainAdd(StubdomDriver *driver, virDomainDef **def, unsigned int flags, virDomainDef **before)
{
    virDomainObj *vm;
    virDomainObj *added = NULL;

    virMutexLock(&driver->addLock);
    if (!(vm = virDomainObjListFindByUUID(driver->domains, (*def)->uuid))) {
        added = addNew(driver, def, flags, before);
    }
    virMutexUnlock(&driver->addLock);
    return vm ? addToExisting(driver, vm, def, flags, before) : added;
}

/* Gives @vm the definition it had before, or removes it if it had none. */
static void
takeBack(StubdomDriver *driver, virDomainObj *vm, virDomainDef **before, bool persistent)
{
    virDomainDef **place = virDomainObjIsActive(vm) ? &vm->newDef : &vm->def;

    vm->persistent = persistent;
    if (!*before && place == &vm->def) {
        virDomainObjListRemove(driver->domains, vm);
        return;
    }
    virDomainDefFree(*place);
    *place = g_steal_pointer(before);
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
    bool persistent;

    virCheckFlags(VIR_DOMAIN_DEFINE_VALIDATE, NULL);
    if (flags & VIR_DOMAIN_DEFINE_VALIDATE) {
        parseFlags |= VIR_DOMAIN_DEF_PARSE_VALIDATE_SCHEMA;
    }
    if (!(def = virDomainDefParseString(xml, driver->xmlopt, NULL, parseFlags)) ||
        virDomainDefineXMLFlagsEnsureACL(conn, def) < 0 || !(vm = stubdomDomainAdd(driver, &def, 0, &before))) {
        return NULL;
    }
    persistent = vm->persistent;
    vm->persistent = 1;
    if (stubdomDomainSave(driver, vm, false, true) < 0) {
        takeBack(driver, vm, &before, persistent);
    } else {
        event = virDomainEventLifecycleNewFromObj(vm, VIR_DOMAIN_EVENT_DEFINED,
                                                  persistent ? VIR_DOMAIN_EVENT_DEFINED_UPDATED
                                                             : VIR_DOMAIN_EVENT_DEFINED_ADDED);
        dom = virGetDomain(conn, vm->def->name, vm->def->uuid, vm->def->id);
    }
    virDomainObjEndJob(vm);
    virDomainObjEndAPI(&vm);
    virObjectEventStateQueue(driver->events, event);
    return dom;
}

virDomainPtr
stubdomDomainDefineXML(virConnectPtr conn, const char *xml)
{
    return stubdomDomainDefineXMLFlags(conn, xml, 0);
}

static int
checkPersistent(const virDomainObj *vm)
{
    if (vm->persistent) {
        return 0;
    }
    virReportError(VIR_ERR_OPERATION_INVALID, _("the domain '%s' is transient"), vm->def->name);
    return -1;
}

/* A domain that runs becomes a transient one. */
static int
undefine(StubdomDriver *driver, virDomainObj *vm, unsigned int flags)
{
    if (checkPersistent(vm) < 0) {
        return -1;
    }
    if (stubdomManagedExists(driver, vm)) {
        if (!(flags & VIR_DOMAIN_UNDEFINE_MANAGED_SAVE)) {
            virReportError(VIR_ERR_OPERATION_INVALID,
                           _("the domain '%s' has a managed save image; --managed-save removes it as well"),
                           vm->def->name);
            return -1;
        }
        if (stubdomManagedRemove(driver, vm) < 0) {
            return -1;
        }
    }
    if (virDomainDeleteConfig(driver->configDir, driver->autostartDir, vm) < 0) {
        return -1;
    }
    vm->persistent = 0;
    vm->autostart = 0;
    stubdomProcessRemoveInactive(driver, vm);
    return 0;
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
        stubdomDomainBeginJob(vm, VIR_JOB_MODIFY, false) == 0) {
        if ((result = undefine(driver, vm, flags)) == 0) {
            event =
                virDomainEventLifecycleNewFromObj(vm, VIR_DOMAIN_EVENT_UNDEFINED, VIR_DOMAIN_EVENT_UNDEFINED_REMOVED);
        }
        virDomainObjEndJob(vm);
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
    if (virDomainRenameEnsureACL(dom->conn, vm->def) == 0 && stubdomDomainBeginJob(vm, VIR_JOB_MODIFY, false) == 0) {
        if (strpbrk(name, "/\n")) {
            virReportError(VIR_ERR_XML_ERROR, _("the name '%s' has a '/' or a line break"), name);
        } else if (virDomainObjIsActive(vm)) {
            virReportError(VIR_ERR_OPERATION_INVALID, _("the domain '%s' is running, and Xen knows it by its name"),
                           vm->def->name);
        } else if (stubdomManagedExists(driver, vm)) {
            virReportError(VIR_ERR_OPERATION_INVALID,
                           _("the domain '%s' has a managed save image, which knows it by its name"), vm->def->name);
        } else {
            result = virDomainObjListRename(driver->domains, vm, name, flags, renameCallback, driver);
        }
        virDomainObjEndJob(vm);
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

    if (vm && virDomainSetAutostartEnsureACL(dom->conn, vm->def) == 0 && checkPersistent(vm) == 0 &&
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
    if (virDomainSetMetadataEnsureACL(dom->conn, vm->def, flags) == 0 &&
        stubdomDomainBeginJob(vm, VIR_JOB_MODIFY, false) == 0) {
        result = virDomainObjSetMetadata(vm, type, metadata, key, uri, driver->xmlopt, driver->stateDir,
                                         driver->configDir, flags);
        virDomainObjEndJob(vm);
    }
    if (result == 0) {
        event = virDomainEventMetadataChangeNewFromObj(vm, type, uri);
    }
    virDomainObjEndAPI(&vm);
    virObjectEventStateQueue(driver->events, event);
    return result;
}
