/*
 * Methods that save and restore domains
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Glue: find, check, job, one call into stubdom_save.c, stubdom_managed.c or
 * stubdom_process.c.
 */

#include "stubdom_compat.h"

#include "stubdom_save_method.h"

#include "viraccessapicheck.h"
#include "virtypedparam.h"

#include "stubdom_define.h"
#include "stubdom_list.h"
#include "stubdom_managed.h"
#include "stubdom_method.h"
#include "stubdom_process.h"
#include "stubdom_save.h"

#define SAVE_FLAGS (VIR_DOMAIN_SAVE_BYPASS_CACHE | VIR_DOMAIN_SAVE_RUNNING | VIR_DOMAIN_SAVE_PAUSED)

/* --- save -------------------------------------------------------------------------------- */

/* An asynchronous job: the domain may be asked about, its save given up, and it may be destroyed meanwhile. */
static int
saveInJob(StubdomDriver *driver, virDomainObj *vm, const StubdomSaveRequest *request)
{
    int result = -1;

    if (virDomainObjBeginAsyncJob(vm, VIR_ASYNC_JOB_SAVE, VIR_DOMAIN_JOB_OPERATION_SAVE, request->flags) < 0) {
        return -1;
    }
    if (stubdomDomainCheckActive(vm) == 0) {
        result = stubdomSaveDomain(driver, vm, request);
    }
    stubdomProcessRemoveInactive(driver, vm);
    virDomainObjEndAsyncJob(vm);
    return result;
}

static int
checkPath(const char *path)
{
    if (!g_path_is_absolute(path)) {
        virReportError(VIR_ERR_INVALID_ARG, _("'%s' is no absolute path of a save image"), path);
        return -1;
    }
    return 0;
}

int
stubdomDomainSaveFlags(virDomainPtr dom, const char *to, const char *xml, unsigned int flags)
{
    StubdomSaveRequest request = {.path = to, .xml = xml, .flags = flags};
    virDomainObj *vm;
    int result = -1;

    virCheckFlags(SAVE_FLAGS, -1);
    if (checkPath(to) < 0 || !(vm = stubdomDomainFind(dom))) {
        return -1;
    }
    if (virDomainSaveFlagsEnsureACL(dom->conn, vm->def) == 0) {
        result = saveInJob(dom->conn->privateData, vm, &request);
    }
    virDomainObjEndAPI(&vm);
    return result;
}

int
stubdomDomainSaveTo(virDomainPtr dom, const char *to)
{
    return stubdomDomainSaveFlags(dom, to, NULL, 0);
}

/* File and XML of the parameters, which stay theirs. */
static int
readParams(virTypedParameterPtr params, int nparams, const char **file, const char **xml)
{
    if (virTypedParamsValidate(params, nparams, VIR_DOMAIN_SAVE_PARAM_FILE, VIR_TYPED_PARAM_STRING,
                               VIR_DOMAIN_SAVE_PARAM_DXML, VIR_TYPED_PARAM_STRING, NULL) < 0 ||
        virTypedParamsGetString(params, nparams, VIR_DOMAIN_SAVE_PARAM_FILE, file) < 0 ||
        virTypedParamsGetString(params, nparams, VIR_DOMAIN_SAVE_PARAM_DXML, xml) < 0) {
        return -1;
    }
    if (!*file) {
        virReportError(VIR_ERR_INVALID_ARG, _("the parameter '%s' is missing"), VIR_DOMAIN_SAVE_PARAM_FILE);
        return -1;
    }
    return 0;
}

int
stubdomDomainSaveParams(virDomainPtr dom, virTypedParameterPtr params, int nparams, unsigned int flags)
{
    StubdomSaveRequest request = {.flags = flags};
    virDomainObj *vm;
    int result = -1;

    virCheckFlags(SAVE_FLAGS, -1);
    if (readParams(params, nparams, &request.path, &request.xml) < 0 || checkPath(request.path) < 0 ||
        !(vm = stubdomDomainFind(dom))) {
        return -1;
    }
    if (virDomainSaveParamsEnsureACL(dom->conn, vm->def) == 0) {
        result = saveInJob(dom->conn->privateData, vm, &request);
    }
    virDomainObjEndAPI(&vm);
    return result;
}

/* --- restore ------------------------------------------------------------------------------- */

/* The domain in the image, or the one a user gives in its place, which may differ in what the guest does not see. */
static virDomainDef *
parseDefinition(const StubdomDriver *driver, const StubdomSaveImage *image, const char *given)
{
    g_autoptr(virDomainDef) own = NULL;
    g_autoptr(virDomainDef) def = NULL;

    if (!(own = virDomainDefParseString(image->header.xml, driver->xmlopt, NULL, VIR_DOMAIN_DEF_PARSE_INACTIVE))) {
        return NULL;
    }
    if (!given) {
        return g_steal_pointer(&own);
    }
    if (!(def = virDomainDefParseString(given, driver->xmlopt, NULL, VIR_DOMAIN_DEF_PARSE_INACTIVE)) ||
        !virDomainDefCheckABIStability(own, def, driver->xmlopt)) {
        return NULL;
    }
    return g_steal_pointer(&def);
}

static bool
staysPaused(const StubdomSaveImage *image, unsigned int flags)
{
    if (flags & (VIR_DOMAIN_SAVE_RUNNING | VIR_DOMAIN_SAVE_PAUSED)) {
        return flags & VIR_DOMAIN_SAVE_PAUSED;
    }
    return image->header.paused;
}

typedef int (*AclFunc)(virConnectPtr conn, virDomainDef *def);

static int
restore(virConnectPtr conn, const char *from, const char *xml, unsigned int flags, AclFunc allowed)
{
    StubdomDriver *driver = conn->privateData;
    g_autoptr(StubdomSaveImage) image = NULL;
    g_autoptr(virDomainDef) def = NULL;
    StubdomRestore how = {.bypassCache = flags & VIR_DOMAIN_SAVE_BYPASS_CACHE};
    virDomainObj *vm;
    int result;

    if (checkPath(from) < 0 || stubdomDriverHasXen(driver) < 0 || !(image = stubdomSaveImageOpen(from)) ||
        !(def = parseDefinition(driver, image, xml)) || allowed(conn, def) < 0 ||
        !(vm = stubdomDomainAdd(driver, &def, VIR_DOMAIN_OBJ_LIST_ADD_LIVE | VIR_DOMAIN_OBJ_LIST_ADD_CHECK_LIVE,
                                NULL))) {
        return -1;
    }
    how.image = image;
    how.paused = staysPaused(image, flags);
    result = stubdomProcessRestore(driver, vm, conn, &how, how.paused ? STUBDOM_PROCESS_START_PAUSED : 0);
    stubdomProcessRemoveInactive(driver, vm);
    virDomainObjEndJob(vm);
    virDomainObjEndAPI(&vm);
    return result;
}

int
stubdomDomainRestoreFlags(virConnectPtr conn, const char *from, const char *xml, unsigned int flags)
{
    virCheckFlags(SAVE_FLAGS, -1);
    return restore(conn, from, xml, flags, virDomainRestoreFlagsEnsureACL);
}

int
stubdomDomainRestore(virConnectPtr conn, const char *from)
{
    return stubdomDomainRestoreFlags(conn, from, NULL, 0);
}

int
stubdomDomainRestoreParams(virConnectPtr conn, virTypedParameterPtr params, int nparams, unsigned int flags)
{
    const char *from = NULL;
    const char *xml = NULL;

    virCheckFlags(SAVE_FLAGS, -1);
    if (readParams(params, nparams, &from, &xml) < 0) {
        return -1;
    }
    return restore(conn, from, xml, flags, virDomainRestoreParamsEnsureACL);
}

/* --- managed save ------------------------------------------------------------------------------ */

int
stubdomDomainManagedSave(virDomainPtr dom, unsigned int flags)
{
    StubdomDriver *driver = dom->conn->privateData;
    g_autofree char *path = NULL;
    virDomainObj *vm;
    int result = -1;

    virCheckFlags(SAVE_FLAGS, -1);
    if (!(vm = stubdomDomainFind(dom))) {
        return -1;
    }
    path = stubdomManagedPath(driver, vm);
    if (virDomainManagedSaveEnsureACL(dom->conn, vm->def) == 0) {
        StubdomSaveRequest request = {.path = path, .managed = true, .flags = flags};

        if (vm->persistent) {
            result = saveInJob(driver, vm, &request);
        } else {
            virReportError(VIR_ERR_OPERATION_INVALID,
                           _("the domain '%s' is transient, so it has no place for a managed save image"),
                           vm->def->name);
        }
    }
    virDomainObjEndAPI(&vm);
    return result;
}

int
stubdomDomainHasManagedSaveImage(virDomainPtr dom, unsigned int flags)
{
    virDomainObj *vm;
    int result = -1;

    virCheckFlags(0, -1);
    if (!(vm = stubdomDomainFind(dom))) {
        return -1;
    }
    if (virDomainHasManagedSaveImageEnsureACL(dom->conn, vm->def) == 0) {
        result = stubdomManagedExists(dom->conn->privateData, vm) ? 1 : 0;
    }
    virDomainObjEndAPI(&vm);
    return result;
}

int
stubdomDomainManagedSaveRemove(virDomainPtr dom, unsigned int flags)
{
    virDomainObj *vm;
    int result = -1;

    virCheckFlags(0, -1);
    if (!(vm = stubdomDomainFind(dom))) {
        return -1;
    }
    if (virDomainManagedSaveRemoveEnsureACL(dom->conn, vm->def) == 0 &&
        stubdomDomainBeginJob(vm, VIR_JOB_MODIFY, false) == 0) {
        result = stubdomManagedRemove(dom->conn->privateData, vm);
        virDomainObjEndJob(vm);
    }
    virDomainObjEndAPI(&vm);
    return result;
}
