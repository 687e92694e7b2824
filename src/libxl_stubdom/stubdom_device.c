/*
 * Methods that plug, unplug and change devices
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The persistent definition is changed as a copy, which is checked as a
 * definition that is made and takes its place when all else has succeeded. For
 * the running domain a copy of its definition is changed and checked first, so
 * that no element of the device is dropped in silence there either.
 */

#include "stubdom_compat.h"

#include "stubdom_device.h"

#include "viraccessapicheck.h"

#include "stubdom_device_config.h"
#include "stubdom_hotplug.h"
#include "stubdom_list.h"
#include "stubdom_method.h"
#include "stubdom_update.h"

VIR_LOG_INIT("stubdom.device");

typedef struct Change Change;

/* What a method does to a definition, and to a running domain. */
typedef struct {
    int (*config)(virDomainDef *def, virDomainDeviceDef *dev);
    int (*live)(StubdomDriver *driver, virDomainObj *vm, virDomainDeviceDef *dev, bool force);
    bool adds; /* what the XML says will be part of the domain */
} Operation;

/* One call. */
struct Change {
    StubdomDriver *driver;
    virDomainObj *vm;
    const Operation *operation;
    const char *xml;   /* of the device, or NULL: it is named by its alias */
    const char *alias; /* or NULL */
};

static int
attachLive(StubdomDriver *driver, virDomainObj *vm, virDomainDeviceDef *dev, bool force)
{
    return stubdomHotplugAttach(driver, vm, dev);
}

static int
detachLive(StubdomDriver *driver, virDomainObj *vm, virDomainDeviceDef *dev, bool force)
{
    return stubdomHotplugDetach(driver, vm, dev);
}

static const Operation attach = {stubdomDeviceConfigAttach, attachLive, true};
static const Operation detach = {stubdomDeviceConfigDetach, detachLive, false};
static const Operation update = {stubdomDeviceConfigUpdate, stubdomUpdateDevice, true};

/* --- the device ----------------------------------------------------------------------------- */

/* The device of a call in terms of @def. The caller frees it with freeDevice(). */
static virDomainDeviceDef *
findDevice(const Change *change, virDomainDef *def)
{
    unsigned int flags = VIR_DOMAIN_DEF_PARSE_INACTIVE;
    virDomainDeviceDef *dev;

    if (change->xml) {
        flags |= change->operation->adds ? 0 : VIR_DOMAIN_DEF_PARSE_SKIP_VALIDATE;
        return virDomainDeviceDefParse(change->xml, def, change->driver->xmlopt, NULL, flags);
    }
    dev = g_new0(virDomainDeviceDef, 1);
    if (virDomainDefFindDevice(def, change->alias, dev, false) < 0) {
        virReportError(VIR_ERR_DEVICE_MISSING, _("the domain '%s' has no device '%s'"), def->name, change->alias);
        g_clear_pointer(&dev, g_free);
    }
    return dev;
}

/* One that was found by its alias belongs to its domain. */
static void
freeDevice(const Change *change, virDomainDeviceDef *dev)
{
    if (change->xml) {
        virDomainDeviceDefFree(dev);
    } else {
        g_free(dev);
    }
}

/* A card without a MAC address gets one when it is parsed, which must be the same in both definitions. */
static void
takeMac(virDomainDeviceDef *dev, const virMacAddr *mac)
{
    if (mac && dev->type == VIR_DOMAIN_DEVICE_NET && dev->data.net->mac_generated) {
        virMacAddrSet(&dev->data.net->mac, mac);
    }
}

/* Changes @def, and checks it if what the call says is added to it. */
static int
changeDefinition(const Change *change, virDomainDef *def, virMacAddr *mac, bool *haveMac)
{
    virDomainDeviceDef *dev = findDevice(change, def);
    int status;

    if (!dev) {
        return -1;
    }
    if (dev->type == VIR_DOMAIN_DEVICE_NET) {
        takeMac(dev, *haveMac ? mac : NULL);
        virMacAddrSet(mac, &dev->data.net->mac);
        *haveMac = true;
    }
    status = change->operation->config(def, dev);
    freeDevice(change, dev);
    if (status == 0 && change->operation->adds) {
        status = stubdomDeviceConfigCheck(change->driver, def);
    }
    return status;
}

/* --- the running domain ------------------------------------------------------------------------ */

static int
checkLive(const Change *change, virMacAddr *mac, bool *haveMac)
{
    g_autoptr(virDomainDef) copy = virDomainDefCopy(change->vm->def, change->driver->xmlopt, NULL, false);

    return copy ? changeDefinition(change, copy, mac, haveMac) : -1;
}

static int
changeLive(const Change *change, virMacAddr *mac, bool *haveMac, bool force)
{
    virDomainDeviceDef *dev;
    int status;

    if (change->operation->adds && checkLive(change, mac, haveMac) < 0) {
        return -1;
    }
    if (!(dev = findDevice(change, change->vm->def))) {
        return -1;
    }
    takeMac(dev, *haveMac ? mac : NULL);
    status = change->operation->live(change->driver, change->vm, dev, force);
    freeDevice(change, dev);
    if (status == 0) {
        stubdomDomainSaveStatus(change->driver, change->vm);
    }
    return status;
}

/* --- one call ------------------------------------------------------------------------------------ */

/* With the job. */
static int
changeInJob(const Change *change, unsigned int flags)
{
    StubdomDriver *driver = change->driver;
    g_autoptr(virDomainDef) config = NULL;
    virMacAddr mac = {0};
    bool haveMac = false;

    if (virDomainObjUpdateModificationImpact(change->vm, &flags) < 0) {
        return -1;
    }
    if (flags & VIR_DOMAIN_AFFECT_CONFIG) {
        if (!(config = virDomainObjCopyPersistentDef(change->vm, driver->xmlopt, NULL)) ||
            changeDefinition(change, config, &mac, &haveMac) < 0) {
            return -1;
        }
    }
    if ((flags & VIR_DOMAIN_AFFECT_LIVE) &&
        changeLive(change, &mac, &haveMac, flags & VIR_DOMAIN_DEVICE_MODIFY_FORCE) < 0) {
        return -1;
    }
    if (config) {
        if (virDomainDefSave(config, driver->xmlopt, driver->configDir) < 0) {
            return -1;
        }
        virDomainObjAssignDef(change->vm, &config, false, NULL);
    }
    return 0;
}

static int
changeDevice(const Change *change, unsigned int flags)
{
    int result;

    if (stubdomDomainBeginJob(change->vm, VIR_JOB_MODIFY, false) < 0) {
        return -1;
    }
    result = changeInJob(change, flags);
    virDomainObjEndJob(change->vm);
    return result;
}

/* --- methods -------------------------------------------------------------------------------------- */

int
stubdomDomainAttachDeviceFlags(virDomainPtr dom, const char *xml, unsigned int flags)
{
    Change change = {.driver = dom->conn->privateData, .operation = &attach, .xml = xml};
    int result = -1;

    virCheckFlags(VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG, -1);
    if (!(change.vm = stubdomDomainFind(dom))) {
        return -1;
    }
    if (virDomainAttachDeviceFlagsEnsureACL(dom->conn, change.vm->def, flags) == 0) {
        result = changeDevice(&change, flags);
    }
    virDomainObjEndAPI(&change.vm);
    return result;
}

int
stubdomDomainAttachDevice(virDomainPtr dom, const char *xml)
{
    return stubdomDomainAttachDeviceFlags(dom, xml, VIR_DOMAIN_AFFECT_LIVE);
}

int
stubdomDomainDetachDeviceFlags(virDomainPtr dom, const char *xml, unsigned int flags)
{
    Change change = {.driver = dom->conn->privateData, .operation = &detach, .xml = xml};
    int result = -1;

    virCheckFlags(VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG, -1);
    if (!(change.vm = stubdomDomainFind(dom))) {
        return -1;
    }
    if (virDomainDetachDeviceFlagsEnsureACL(dom->conn, change.vm->def, flags) == 0) {
        result = changeDevice(&change, flags);
    }
    virDomainObjEndAPI(&change.vm);
    return result;
}

int
stubdomDomainDetachDevice(virDomainPtr dom, const char *xml)
{
    return stubdomDomainDetachDeviceFlags(dom, xml, VIR_DOMAIN_AFFECT_LIVE);
}

int
stubdomDomainDetachDeviceAlias(virDomainPtr dom, const char *alias, unsigned int flags)
{
    Change change = {.driver = dom->conn->privateData, .operation = &detach, .alias = alias};
    int result = -1;

    virCheckFlags(VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG, -1);
    if (!(change.vm = stubdomDomainFind(dom))) {
        return -1;
    }
    if (virDomainDetachDeviceAliasEnsureACL(dom->conn, change.vm->def, flags) == 0) {
        result = changeDevice(&change, flags);
    }
    virDomainObjEndAPI(&change.vm);
    return result;
}

int
stubdomDomainUpdateDeviceFlags(virDomainPtr dom, const char *xml, unsigned int flags)
{
    Change change = {.driver = dom->conn->privateData, .operation = &update, .xml = xml};
    int result = -1;

    virCheckFlags(VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG | VIR_DOMAIN_DEVICE_MODIFY_FORCE, -1);
    if (!(change.vm = stubdomDomainFind(dom))) {
        return -1;
    }
    if (virDomainUpdateDeviceFlagsEnsureACL(dom->conn, change.vm->def, flags) == 0) {
        result = changeDevice(&change, flags);
    }
    virDomainObjEndAPI(&change.vm);
    return result;
}
