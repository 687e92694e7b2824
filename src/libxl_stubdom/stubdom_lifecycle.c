/*
 * Methods that start, stop and change the state of domains
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Glue: find, check, job, one call into stubdom_process.c or stubdom_guest.c,
 * event.
 */

#include "stubdom_compat.h"

#include "stubdom_lifecycle.h"

#include "datatypes.h"
#include "domain_event.h"
#include "viraccessapicheck.h"

#include "stubdom_define.h"
#include "stubdom_guest.h"
#include "stubdom_job.h"
#include "stubdom_list.h"
#include "stubdom_managed.h"
#include "stubdom_method.h"
#include "stubdom_process.h"

#define START_FLAGS                                                                                                    \
    (VIR_DOMAIN_START_PAUSED | VIR_DOMAIN_START_AUTODESTROY | VIR_DOMAIN_START_BYPASS_CACHE |                          \
     VIR_DOMAIN_START_FORCE_BOOT)

static unsigned int
processFlags(unsigned int flags)
{
    return (flags & VIR_DOMAIN_START_PAUSED ? STUBDOM_PROCESS_START_PAUSED : 0) |
           (flags & VIR_DOMAIN_START_AUTODESTROY ? STUBDOM_PROCESS_START_AUTODESTROY : 0);
}

/* --- start ------------------------------------------------------------------------------ */

virDomainPtr
stubdomDomainCreateXML(virConnectPtr conn, const char *xml, unsigned int flags)
{
    StubdomDriver *driver = conn->privateData;
    unsigned int parseFlags = VIR_DOMAIN_DEF_PARSE_INACTIVE;
    g_autoptr(virDomainDef) def = NULL;
    virDomainPtr dom = NULL;
    virDomainObj *vm;

    virCheckFlags(VIR_DOMAIN_START_PAUSED | VIR_DOMAIN_START_AUTODESTROY | VIR_DOMAIN_START_VALIDATE, NULL);
    if (flags & VIR_DOMAIN_START_VALIDATE) {
        parseFlags |= VIR_DOMAIN_DEF_PARSE_VALIDATE_SCHEMA;
    }
    if (!(def = virDomainDefParseString(xml, driver->xmlopt, NULL, parseFlags)) ||
        virDomainCreateXMLEnsureACL(conn, def) < 0 ||
        !(vm = stubdomDomainAdd(driver, &def, VIR_DOMAIN_OBJ_LIST_ADD_LIVE | VIR_DOMAIN_OBJ_LIST_ADD_CHECK_LIVE,
                                NULL))) {
        return NULL;
    }
    if (stubdomProcessStart(driver, vm, conn, VIR_DOMAIN_RUNNING_BOOTED, processFlags(flags)) == 0) {
        dom = virGetDomain(conn, vm->def->name, vm->def->uuid, vm->def->id);
    }
    stubdomProcessRemoveInactive(driver, vm);
    virDomainObjEndJob(vm);
    virDomainObjEndAPI(&vm);
    return dom;
}

/* With the job. */
static int
startDefined(StubdomDriver *driver, virDomainPtr dom, virDomainObj *vm, unsigned int flags)
{
    if (virDomainObjIsActive(vm)) {
        virReportError(VIR_ERR_OPERATION_INVALID, _("the domain '%s' is running already"), vm->def->name);
        return -1;
    }
    if (stubdomManagedStart(driver, vm, dom->conn, flags) < 0) {
        return -1;
    }
    dom->id = vm->def->id;
    return 0;
}

int
stubdomDomainCreateWithFlags(virDomainPtr dom, unsigned int flags)
{
    StubdomDriver *driver = dom->conn->privateData;
    virDomainObj *vm;
    int result = -1;

    virCheckFlags(START_FLAGS, -1);
    if (!(vm = stubdomDomainFind(dom))) {
        return -1;
    }
    if (virDomainCreateWithFlagsEnsureACL(dom->conn, vm->def) == 0 &&
        stubdomDomainBeginJob(vm, VIR_JOB_MODIFY, false) == 0) {
        result = startDefined(driver, dom, vm, flags);
        virDomainObjEndJob(vm);
    }
    virDomainObjEndAPI(&vm);
    return result;
}

int
stubdomDomainCreate(virDomainPtr dom)
{
    return stubdomDomainCreateWithFlags(dom, 0);
}

/* --- destroy ---------------------------------------------------------------------------- */

/* A domain that is being started, by another thread with the job, is destroyed under it: that start then fails. */
static void
abortStart(StubdomDriver *driver, virDomainObj *vm)
{
    g_autoptr(StubdomLibxl) libxl = stubdomDriverHasXen(driver) == 0 ? stubdomLibxlOpen() : NULL;
    unsigned char uuid[VIR_UUID_BUFLEN];
    uint32_t domid = 0;

    if (!libxl) {
        return;
    }
    memcpy(uuid, vm->def->uuid, sizeof(uuid));
    virObjectUnlock(vm);
    if (stubdomGuestFind(libxl, uuid, &domid)) {
        ignore_value(stubdomGuestDestroy(libxl, domid));
    }
    virObjectLock(vm);
}

static int
destroyActive(StubdomDriver *driver, virDomainObj *vm)
{
    if (stubdomProcessStop(driver, vm, VIR_DOMAIN_SHUTOFF_DESTROYED) < 0) {
        return -1;
    }
    stubdomDomainQueueLifecycle(driver, vm, VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_DESTROYED);
    stubdomProcessRemoveInactive(driver, vm);
    return 0;
}

int
stubdomDomainDestroyFlags(virDomainPtr dom, unsigned int flags)
{
    StubdomDriver *driver = dom->conn->privateData;
    uint32_t domid = 0;
    virDomainObj *vm;
    bool starting;
    int result = -1;

    /* libxl has no gentler way, and closes the disks properly in this one. */
    virCheckFlags(VIR_DOMAIN_DESTROY_GRACEFUL, -1);
    if (!(vm = stubdomDomainFind(dom))) {
        return -1;
    }
    if (virDomainDestroyFlagsEnsureACL(dom->conn, vm->def) == 0 && stubdomDomainCheckActive(vm) == 0) {
        starting = !stubdomDomid(vm, &domid);
        stubdomJobAbort(vm);
        if (starting) {
            abortStart(driver, vm);
        }
        if (virDomainObjBeginJob(vm, VIR_JOB_DESTROY) == 0) {
            result = starting && !virDomainObjIsActive(vm) ? 0 : stubdomDomainCheckActive(vm);
            if (result == 0 && virDomainObjIsActive(vm)) {
                result = destroyActive(driver, vm);
            }
            virDomainObjEndJob(vm);
        }
    }
    virDomainObjEndAPI(&vm);
    return result;
}

int
stubdomDomainDestroy(virDomainPtr dom)
{
    return stubdomDomainDestroyFlags(dom, 0);
}

/* --- suspend and resume ------------------------------------------------------------------- */

typedef int (*PairFunc)(StubdomLibxl *libxl, uint32_t domid, uint32_t stubdomain);

/* Calls @func for guest and stubdomain, unlocked. */
static int
callForPair(StubdomDriver *driver, virDomainObj *vm, PairFunc func)
{
    uint32_t stubdomain = stubdomPrivate(vm)->stubdomain;
    StubdomLibxl *libxl;
    uint32_t domid = 0;
    int status;

    if (!stubdomDomid(vm, &domid) || !(libxl = stubdomDomainEnter(driver, vm))) {
        return -1;
    }
    status = func(libxl, domid, stubdomain);
    stubdomDomainLeave(vm, libxl);
    return status;
}

/* Only what runs or is paused can be the other. */
static int
checkState(virDomainObj *vm, virDomainState *state)
{
    *state = virDomainObjGetState(vm, NULL);
    if (*state == VIR_DOMAIN_RUNNING || *state == VIR_DOMAIN_PAUSED) {
        return 0;
    }
    virReportError(VIR_ERR_OPERATION_INVALID, _("the domain '%s' has ended and is only kept (%s)"), vm->def->name,
                   virDomainStateTypeToString((int)*state));
    return -1;
}

static int
suspend(StubdomDriver *driver, virDomainObj *vm)
{
    virDomainState state;

    if (checkState(vm, &state) < 0) {
        return -1;
    }
    if (callForPair(driver, vm, stubdomGuestPause) < 0) {
        return -1;
    }
    if (state != VIR_DOMAIN_PAUSED) {
        virDomainObjSetState(vm, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER);
        stubdomDomainSaveStatus(driver, vm);
        stubdomDomainQueueLifecycle(driver, vm, VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_PAUSED);
    }
    return 0;
}

static int
resume(StubdomDriver *driver, virDomainObj *vm)
{
    virDomainState state;

    if (checkState(vm, &state) < 0) {
        return -1;
    }
    if (callForPair(driver, vm, stubdomGuestUnpause) < 0) {
        return -1;
    }
    if (state != VIR_DOMAIN_RUNNING) {
        virDomainObjSetState(vm, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_UNPAUSED);
        stubdomDomainSaveStatus(driver, vm);
        stubdomDomainQueueLifecycle(driver, vm, VIR_DOMAIN_EVENT_RESUMED, VIR_DOMAIN_EVENT_RESUMED_UNPAUSED);
    }
    return 0;
}

int
stubdomDomainSuspend(virDomainPtr dom)
{
    StubdomDriver *driver = dom->conn->privateData;
    virDomainObj *vm = stubdomDomainFind(dom);
    int result = -1;

    if (vm && virDomainSuspendEnsureACL(dom->conn, vm->def) == 0 &&
        stubdomDomainBeginJob(vm, VIR_JOB_SUSPEND, true) == 0) {
        result = suspend(driver, vm);
        virDomainObjEndJob(vm);
    }
    virDomainObjEndAPI(&vm);
    return result;
}

int
stubdomDomainResume(virDomainPtr dom)
{
    StubdomDriver *driver = dom->conn->privateData;
    virDomainObj *vm = stubdomDomainFind(dom);
    int result = -1;

    if (vm && virDomainResumeEnsureACL(dom->conn, vm->def) == 0 &&
        stubdomDomainBeginJob(vm, VIR_JOB_MODIFY, true) == 0) {
        result = resume(driver, vm);
        virDomainObjEndJob(vm);
    }
    virDomainObjEndAPI(&vm);
    return result;
}

/* --- shutdown and reboot -------------------------------------------------------------------- */

/* PV drivers are asked first, if there may be some; the power button is what every guest has. */
static int
powerOff(StubdomLibxl *libxl, uint32_t domid, bool paravirt, bool acpi)
{
    int rc = ERROR_NOPARAVIRT;

    if (paravirt) {
        rc = libxl_domain_shutdown(libxl->ctx, domid, NULL);
    }
    if (rc == ERROR_NOPARAVIRT && acpi) {
        rc = libxl_send_trigger(libxl->ctx, domid, LIBXL_TRIGGER_POWER, 0, NULL);
    }
    if (rc == ERROR_NOPARAVIRT) {
        virReportError(VIR_ERR_OPERATION_UNSUPPORTED, "%s", _("the guest has no PV drivers that could shut it down"));
    } else if (rc != 0) {
        stubdomLibxlError(libxl, rc, _("the guest cannot be asked to shut down"));
    }
    return rc == 0 ? 0 : -1;
}

/* PV drivers reboot. Without them the guest is asked to power off, and *@byStart set: it is then to be started again.
 */
static int
reboot(StubdomLibxl *libxl, uint32_t domid, bool paravirt, bool acpi, bool *byStart)
{
    int rc = paravirt ? libxl_domain_reboot(libxl->ctx, domid, NULL) : ERROR_NOPARAVIRT;

    if (rc == ERROR_NOPARAVIRT) {
        *byStart = true;
        return powerOff(libxl, domid, false, acpi);
    }
    if (rc != 0) {
        stubdomLibxlError(libxl, rc, _("the guest cannot be asked to reboot"));
        return -1;
    }
    return 0;
}

typedef struct {
    bool paravirt;
    bool acpi;
    bool again; /* to be started again */
} Request;

/* With the job. */
static int
ask(StubdomDriver *driver, virDomainObj *vm, const Request *request)
{
    bool byStart = false;
    virDomainState state;
    StubdomLibxl *libxl;
    uint32_t domid = 0;
    int status;

    if (checkState(vm, &state) < 0 || !stubdomDomid(vm, &domid) || !(libxl = stubdomDomainEnter(driver, vm))) {
        return -1;
    }
    status = request->again ? reboot(libxl, domid, request->paravirt, request->acpi, &byStart)
                            : powerOff(libxl, domid, request->paravirt, request->acpi);
    stubdomDomainLeave(vm, libxl);
    if (status == 0 && stubdomPrivate(vm)->rebooting != byStart) {
        stubdomPrivate(vm)->rebooting = byStart;
        stubdomDomainSaveStatus(driver, vm);
    }
    return status;
}

static int
askInJob(virDomainPtr dom, virDomainObj *vm, const Request *request)
{
    int result = -1;

    if (stubdomDomainBeginJob(vm, VIR_JOB_MODIFY, true) == 0) {
        result = ask(dom->conn->privateData, vm, request);
        virDomainObjEndJob(vm);
    }
    return result;
}

int
stubdomDomainShutdownFlags(virDomainPtr dom, unsigned int flags)
{
    Request request = {.paravirt = !flags || (flags & VIR_DOMAIN_SHUTDOWN_PARAVIRT),
                       .acpi = !flags || (flags & VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN)};
    virDomainObj *vm;
    int result = -1;

    virCheckFlags(VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN | VIR_DOMAIN_SHUTDOWN_PARAVIRT, -1);
    if (!(vm = stubdomDomainFind(dom))) {
        return -1;
    }
    if (virDomainShutdownFlagsEnsureACL(dom->conn, vm->def, flags) == 0) {
        result = askInJob(dom, vm, &request);
    }
    virDomainObjEndAPI(&vm);
    return result;
}

int
stubdomDomainShutdown(virDomainPtr dom)
{
    return stubdomDomainShutdownFlags(dom, 0);
}

int
stubdomDomainReboot(virDomainPtr dom, unsigned int flags)
{
    Request request = {.paravirt = !flags || (flags & VIR_DOMAIN_REBOOT_PARAVIRT),
                       .acpi = !flags || (flags & VIR_DOMAIN_REBOOT_ACPI_POWER_BTN),
                       .again = true};
    virDomainObj *vm;
    int result = -1;

    virCheckFlags(VIR_DOMAIN_REBOOT_ACPI_POWER_BTN | VIR_DOMAIN_REBOOT_PARAVIRT, -1);
    if (!(vm = stubdomDomainFind(dom))) {
        return -1;
    }
    if (virDomainRebootEnsureACL(dom->conn, vm->def, flags) == 0) {
        result = askInJob(dom, vm, &request);
    }
    virDomainObjEndAPI(&vm);
    return result;
}

/* Xen cannot reset an HVM guest in place: it is destroyed and started, as the reset button does to its memory. */
int
stubdomDomainReset(virDomainPtr dom, unsigned int flags)
{
    StubdomDriver *driver = dom->conn->privateData;
    virDomainObj *vm;
    int result = -1;

    virCheckFlags(0, -1);
    if (!(vm = stubdomDomainFind(dom))) {
        return -1;
    }
    if (virDomainResetEnsureACL(dom->conn, vm->def) == 0 && stubdomDomainBeginJob(vm, VIR_JOB_MODIFY, true) == 0) {
        virObjectEventStateQueue(driver->events, virDomainEventRebootNewFromObj(vm));
        result = stubdomProcessRestart(driver, vm, VIR_DOMAIN_SHUTOFF_DESTROYED, VIR_DOMAIN_EVENT_STOPPED_DESTROYED);
        stubdomProcessRemoveInactive(driver, vm);
        virDomainObjEndJob(vm);
    }
    virDomainObjEndAPI(&vm);
    return result;
}
