/*
 * Methods around a running domain
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Its console, what it has to say, what it is doing, how it ends, its core.
 */

#include "stubdom_compat.h"

#include "stubdom_control.h"

#include "datatypes.h"
#include "viraccessapicheck.h"
#include "virtime.h"

#include "stubdom_guest.h"
#include "stubdom_list.h"
#include "stubdom_method.h"
#include "stubdom_process.h"

/* --- console ---------------------------------------------------------------------------- */

static virDomainChrDef *
findNamed(const virDomainDef *def, const char *name)
{
    for (size_t i = 0; i < def->nserials; i++) {
        if (STREQ_NULLABLE(def->serials[i]->info.alias, name)) {
            return def->serials[i];
        }
    }
    for (size_t i = 0; i < def->nconsoles; i++) {
        if (STREQ_NULLABLE(def->consoles[i]->info.alias, name)) {
            return def->consoles[i];
        }
    }
    return NULL;
}

/* Without a name it is the first one. */
static virDomainChrDef *
findConsole(const virDomainDef *def, const char *name)
{
    virDomainChrDef *found = name ? findNamed(def, name) : NULL;

    if (!name && def->nserials) {
        found = def->serials[0];
    } else if (!name && def->nconsoles) {
        found = def->consoles[0];
    }
    if (!found) {
        virReportError(VIR_ERR_INVALID_ARG, _("the domain '%s' has no console '%s'"), def->name,
                       name ? name : "serial0");
        return NULL;
    }
    if (found->source->type != VIR_DOMAIN_CHR_TYPE_PTY || !found->source->data.file.path) {
        virReportError(VIR_ERR_OPERATION_UNSUPPORTED, _("the console '%s' of the domain '%s' has no terminal (pty)"),
                       NULLSTR(found->info.alias), def->name);
        return NULL;
    }
    return found;
}

static int
openConsole(virDomainObj *vm, const char *name, virStreamPtr stream, bool force)
{
    virDomainChrDef *console;
    int status;

    if (stubdomDomainCheckActive(vm) < 0 || !(console = findConsole(vm->def, name))) {
        return -1;
    }
    status = virChrdevOpen(stubdomPrivate(vm)->consoles, console->source, stream, force);
    if (status == 1) {
        virReportError(VIR_ERR_OPERATION_FAILED,
                       _("somebody has the console of the domain '%s' open; --force ends that"), vm->def->name);
    }
    return status == 0 ? 0 : -1;
}

int
stubdomDomainOpenConsole(virDomainPtr dom, const char *name, virStreamPtr stream, unsigned int flags)
{
    virDomainObj *vm;
    int result = -1;

    virCheckFlags(VIR_DOMAIN_CONSOLE_FORCE | VIR_DOMAIN_CONSOLE_SAFE, -1);
    if (!(vm = stubdomDomainFind(dom))) {
        return -1;
    }
    if (virDomainOpenConsoleEnsureACL(dom->conn, vm->def) == 0) {
        result = openConsole(vm, name, stream, flags & VIR_DOMAIN_CONSOLE_FORCE);
    }
    virDomainObjEndAPI(&vm);
    return result;
}

/* --- what it has to say, and does ----------------------------------------------------------- */

/* libvirt's own, and why the stubdomain ended. */
static int
collectMessages(virDomainObj *vm, char ***messages, unsigned int flags)
{
    const char *reason = stubdomPrivate(vm)->endReason;
    int count = virDomainObjGetMessages(vm, messages, flags);

    if (count >= 0 && !flags && reason) {
        *messages = g_renew(char *, *messages, count + 2);
        (*messages)[count++] = g_strdup(reason);
        (*messages)[count] = NULL;
    }
    return count;
}

int
stubdomDomainGetMessages(virDomainPtr dom, char ***messages, unsigned int flags)
{
    virDomainObj *vm;
    int result = -1;

    virCheckFlags(VIR_DOMAIN_MESSAGE_DEPRECATION | VIR_DOMAIN_MESSAGE_TAINTING, -1);
    if (!(vm = stubdomDomainFind(dom))) {
        return -1;
    }
    if (virDomainGetMessagesEnsureACL(dom->conn, vm->def) == 0) {
        result = collectMessages(vm, messages, flags);
    }
    virDomainObjEndAPI(&vm);
    return result;
}

static int
readControl(virDomainObj *vm, virDomainControlInfoPtr info)
{
    unsigned long long now = 0;

    if (stubdomDomainCheckActive(vm) < 0) {
        return -1;
    }
    memset(info, 0, sizeof(*info));
    if (!vm->job->active) {
        return 0;
    }
    if (virTimeMillisNow(&now) < 0) {
        return -1;
    }
    info->state = VIR_DOMAIN_CONTROL_JOB;
    info->stateTime = now - vm->job->started;
    return 0;
}

int
stubdomDomainGetControlInfo(virDomainPtr dom, virDomainControlInfoPtr info, unsigned int flags)
{
    virDomainObj *vm;
    int result = -1;

    virCheckFlags(0, -1);
    if (!(vm = stubdomDomainFind(dom))) {
        return -1;
    }
    if (virDomainGetControlInfoEnsureACL(dom->conn, vm->def) == 0) {
        result = readControl(vm, info);
    }
    virDomainObjEndAPI(&vm);
    return result;
}

/* --- how it ends ------------------------------------------------------------------------------ */

static void
setAction(virDomainDef *def, virDomainLifecycle type, virDomainLifecycleAction action)
{
    switch (type) {
    case VIR_DOMAIN_LIFECYCLE_POWEROFF:
        def->onPoweroff = action;
        break;
    case VIR_DOMAIN_LIFECYCLE_REBOOT:
        def->onReboot = action;
        break;
    case VIR_DOMAIN_LIFECYCLE_CRASH:
        def->onCrash = action;
        break;
    case VIR_DOMAIN_LIFECYCLE_LAST:
    default:
        break;
    }
}

/* libxl is not told: the driver acts. */
static int
setActionInJob(StubdomDriver *driver, virDomainObj *vm, unsigned int type, unsigned int action, unsigned int flags)
{
    virDomainDef *live = NULL;
    virDomainDef *config = NULL;

    if (virDomainObjGetDefs(vm, flags, &live, &config) < 0) {
        return -1;
    }
    if (live) {
        setAction(live, (virDomainLifecycle)type, (virDomainLifecycleAction)action);
    }
    if (config) {
        setAction(config, (virDomainLifecycle)type, (virDomainLifecycleAction)action);
    }
    return stubdomDomainSave(driver, vm, live != NULL, config != NULL);
}

int
stubdomDomainSetLifecycleAction(virDomainPtr dom, unsigned int type, unsigned int action, unsigned int flags)
{
    virDomainObj *vm;
    int result = -1;

    virCheckFlags(VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG, -1);
    if (!virDomainDefLifecycleActionAllowed(type, action) || !(vm = stubdomDomainFind(dom))) {
        return -1;
    }
    if (virDomainSetLifecycleActionEnsureACL(dom->conn, vm->def) == 0 &&
        stubdomDomainBeginJob(vm, VIR_JOB_MODIFY, false) == 0) {
        result = setActionInJob(dom->conn->privateData, vm, type, action, flags);
        virDomainObjEndJob(vm);
    }
    virDomainObjEndAPI(&vm);
    return result;
}

/* --- core ------------------------------------------------------------------------------------- */

static int
writeCore(StubdomLibxl *libxl, uint32_t domid, uint32_t stubdomain, const char *to, bool pause)
{
    int rc;

    if (pause && stubdomGuestPause(libxl, domid, stubdomain) < 0) {
        return -1;
    }
    if ((rc = libxl_domain_core_dump(libxl->ctx, domid, to, NULL)) != 0) {
        g_autofree char *text = stubdomLibxlErrorText(libxl, rc);

        virReportError(VIR_ERR_OPERATION_FAILED, _("the core cannot be written to '%s': %s"), to, text);
    }
    if (pause) {
        virErrorPtr error = NULL;

        virErrorPreserveLast(&error);
        if (stubdomGuestUnpause(libxl, domid, stubdomain) < 0 && rc == 0) {
            rc = ERROR_FAIL; /* what is reported is that it stays paused */
            g_clear_pointer(&error, virFreeError);
        }
        if (error) {
            virErrorRestore(&error);
        }
    }
    return rc == 0 ? 0 : -1;
}

/* With the job. A guest that runs is paused meanwhile, unless it is to go on (--live). */
static int
dumpCore(StubdomDriver *driver, virDomainObj *vm, const char *to, unsigned int flags)
{
    bool pause = virDomainObjGetState(vm, NULL) == VIR_DOMAIN_RUNNING && !(flags & VIR_DUMP_LIVE);
    uint32_t stubdomain = stubdomPrivate(vm)->stubdomain;
    StubdomLibxl *libxl;
    uint32_t domid = 0;
    int status;

    if (!stubdomDomid(vm, &domid) || !(libxl = stubdomDomainEnter(driver, vm))) {
        return -1;
    }
    status = writeCore(libxl, domid, stubdomain, to, pause);
    stubdomDomainLeave(vm, libxl);
    if (status == 0 && (flags & VIR_DUMP_CRASH)) {
        status = stubdomProcessStop(driver, vm, VIR_DOMAIN_SHUTOFF_CRASHED);
        if (status == 0) {
            stubdomDomainQueueLifecycle(driver, vm, VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_CRASHED);
        }
    }
    stubdomProcessRemoveInactive(driver, vm);
    return status;
}

int
stubdomDomainCoreDump(virDomainPtr dom, const char *to, unsigned int flags)
{
    StubdomDriver *driver = dom->conn->privateData;
    virDomainObj *vm;
    int result = -1;

    virCheckFlags(VIR_DUMP_LIVE | VIR_DUMP_CRASH, -1);
    if (!(vm = stubdomDomainFind(dom))) {
        return -1;
    }
    if (virDomainCoreDumpEnsureACL(dom->conn, vm->def) == 0 && stubdomDomainBeginJob(vm, VIR_JOB_MODIFY, true) == 0) {
        result = dumpCore(driver, vm, to, flags);
        virDomainObjEndJob(vm);
    }
    virDomainObjEndAPI(&vm);
    return result;
}

int
stubdomDomainCoreDumpWithFormat(virDomainPtr dom, const char *to, unsigned int format, unsigned int flags)
{
    if (format != VIR_DOMAIN_CORE_DUMP_FORMAT_RAW) {
        virReportError(VIR_ERR_OPERATION_UNSUPPORTED, "%s", _("Xen writes cores in its own format alone (raw)"));
        return -1;
    }
    return stubdomDomainCoreDump(dom, to, flags);
}
