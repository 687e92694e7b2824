/*
 * The save image a domain is started from next
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * NAME.save in a directory of the driver's own. Whether it is there is the
 * truth; vm->hasManagedSave follows it, for lists of domains.
 */

#include "stubdom_compat.h"

#include "stubdom_managed.h"

#include <unistd.h>

#include "virfile.h"

#include "stubdom_method.h"
#include "stubdom_process.h"

VIR_LOG_INIT("stubdom.managed");

char *
stubdomManagedPath(const StubdomDriver *driver, const virDomainObj *vm)
{
    return g_strdup_printf("%s/%s.save", driver->saveDir, vm->def->name);
}

static char *
usedPath(const StubdomDriver *driver, const virDomainObj *vm)
{
    return g_strdup_printf("%s/%s.save.used", driver->saveDir, vm->def->name);
}

bool
stubdomManagedExists(const StubdomDriver *driver, const virDomainObj *vm)
{
    g_autofree char *path = stubdomManagedPath(driver, vm);

    return virFileExists(path);
}

int
stubdomManagedRemove(const StubdomDriver *driver, virDomainObj *vm)
{
    g_autofree char *path = stubdomManagedPath(driver, vm);

    if (unlink(path) < 0 && errno != ENOENT) {
        virReportSystemError(errno, _("cannot remove the managed save image '%s'"), path);
        return -1;
    }
    vm->hasManagedSave = false;
    return 0;
}

/* --- used up --------------------------------------------------------------------------- */

int
stubdomManagedUse(const StubdomDriver *driver, virDomainObj *vm)
{
    g_autofree char *path = stubdomManagedPath(driver, vm);
    g_autofree char *used = usedPath(driver, vm);

    if (rename(path, used) < 0) {
        virReportSystemError(errno, _("cannot rename the managed save image '%s'"), path);
        return -1;
    }
    if (stubdomSaveImageSyncDirectory(path) < 0) {
        stubdomManagedUnuse(driver, vm);
        return -1;
    }
    vm->hasManagedSave = false;
    return 0;
}

void
stubdomManagedUnuse(const StubdomDriver *driver, virDomainObj *vm)
{
    g_autofree char *path = stubdomManagedPath(driver, vm);
    g_autofree char *used = usedPath(driver, vm);

    if (rename(used, path) == 0) {
        vm->hasManagedSave = true;
    } else if (errno != ENOENT) {
        VIR_ERROR(_("the managed save image of the domain '%s' is now '%s': %s"), vm->def->name, used,
                  g_strerror(errno));
    }
}

void
stubdomManagedUsed(const StubdomDriver *driver, virDomainObj *vm)
{
    g_autofree char *used = usedPath(driver, vm);

    if (unlink(used) < 0 && errno != ENOENT) {
        VIR_WARN("cannot remove the file '%s': %s", used, g_strerror(errno));
    }
}

/* --- when the driver comes up --------------------------------------------------------------- */

static int
load(virDomainObj *vm, void *opaque)
{
    const StubdomDriver *driver = opaque;

    virObjectLock(vm);
    vm->hasManagedSave = stubdomManagedExists(driver, vm);
    if (!virDomainObjIsActive(vm)) {
        stubdomManagedUsed(driver, vm); /* its guest ran, and is gone */
    }
    virObjectUnlock(vm);
    return 0;
}

/* What a save did not live to finish, before the host was started anew. Those of running domains have their owners. */
static void
removeUnfinished(const StubdomDriver *driver)
{
    g_autoptr(GDir) entries = g_dir_open(driver->saveDir, 0, NULL);
    const char *name;

    while (entries && (name = g_dir_read_name(entries))) {
        g_autofree char *file = g_build_filename(driver->saveDir, name, NULL);

        if (g_str_has_suffix(name, ".part") && unlink(file) < 0) {
            VIR_WARN("cannot remove the file '%s': %s", file, g_strerror(errno));
        }
    }
}

static int
countActive(virDomainObj *vm, void *opaque)
{
    unsigned int *active = opaque;

    virObjectLock(vm);
    *active += virDomainObjIsActive(vm) ? 1 : 0;
    virObjectUnlock(vm);
    return 0;
}

void
stubdomManagedLoad(StubdomDriver *driver)
{
    unsigned int active = 0;

    virDomainObjListForEach(driver->domains, false, countActive, &active);
    if (active == 0) {
        removeUnfinished(driver);
    }
    virDomainObjListForEach(driver->domains, false, load, driver);
}

/* --- start ------------------------------------------------------------------------------------- */

static unsigned int
processFlags(unsigned int flags, bool paused)
{
    return (paused ? STUBDOM_PROCESS_START_PAUSED : 0) |
           (flags & VIR_DOMAIN_START_AUTODESTROY ? STUBDOM_PROCESS_START_AUTODESTROY : 0);
}

/* The domain of the image is what it was when it was saved, whatever has been defined since. */
static int
assignDefinition(StubdomDriver *driver, virDomainObj *vm, const StubdomSaveImage *image)
{
    g_autoptr(virDomainDef) def =
        virDomainDefParseString(image->header.xml, driver->xmlopt, NULL, VIR_DOMAIN_DEF_PARSE_INACTIVE);

    if (!def) {
        return -1;
    }
    if (STRNEQ(def->name, vm->def->name) || memcmp(def->uuid, vm->def->uuid, VIR_UUID_BUFLEN) != 0) {
        virReportError(VIR_ERR_OPERATION_FAILED, _("'%s' is of another domain: '%s'"), image->path, def->name);
        return -1;
    }
    virDomainObjAssignDef(vm, &def, true, NULL);
    return 0;
}

static int
restore(StubdomDriver *driver, virDomainObj *vm, virConnectPtr conn, unsigned int flags)
{
    g_autofree char *path = stubdomManagedPath(driver, vm);
    g_autoptr(StubdomSaveImage) image = stubdomSaveImageOpen(path);
    StubdomRestore how = {.image = image, .managed = true, .bypassCache = flags & VIR_DOMAIN_START_BYPASS_CACHE};

    if (!image || stubdomDriverHasXen(driver) < 0) {
        return -1;
    }
    how.paused = image->header.paused || (flags & VIR_DOMAIN_START_PAUSED);
    if (assignDefinition(driver, vm, image) < 0) {
        return -1;
    }
    return stubdomProcessRestore(driver, vm, conn, &how, processFlags(flags, how.paused));
}

int
stubdomManagedStart(StubdomDriver *driver, virDomainObj *vm, virConnectPtr conn, unsigned int flags)
{
    if (flags & VIR_DOMAIN_START_FORCE_BOOT) {
        if (stubdomManagedRemove(driver, vm) < 0) {
            return -1;
        }
    } else if (stubdomManagedExists(driver, vm)) {
        if (restore(driver, vm, conn, flags) == 0) {
            return 0;
        }
        VIR_WARN("the domain '%s' was not started from its managed save image; it can be booted with --force-boot",
                 vm->def->name);
        return -1;
    }
    return stubdomProcessStart(driver, vm, conn, VIR_DOMAIN_RUNNING_BOOTED,
                               processFlags(flags, flags & VIR_DOMAIN_START_PAUSED));
}
