/*
 * A guest lets go of a PCI device
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Only the guest can say when it has done with a device, and it may do so in
 * its own time, or never. So the question and what follows it are apart: the
 * answer of the device model, its events, and a start of the daemon all end in
 * finish() or refused().
 */

#include "stubdom_compat.h"

#include "stubdom_unplug.h"

#include "domain_event.h"

#include "stubdom_hostdev.h"
#include "stubdom_hostdev_host.h"
#include "stubdom_method.h"

VIR_LOG_INIT("stubdom.unplug");

/* Seconds a caller waits for the guest; as long as with libvirt's own driver for QEMU. */
#define PATIENCE 5
/* The same when nobody waits for an answer. */
#define NO_PATIENCE 1

/* What an event says. */
typedef struct {
    uint32_t domid;
    char *id;
    bool deleted; /* else: the guest refuses, or has not answered in time */
} Answer;

static void
answerFree(Answer *answer)
{
    g_free(answer->id);
    g_free(answer);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Answer, answerFree)

static void
queueFailed(const StubdomHostdevOp *op)
{
    virObjectEventStateQueue(op->driver->events,
                             virDomainEventDeviceRemovalFailedNewFromObj(op->vm, op->hostdev->info->alias));
}

/* The guest has let go, or is not asked any more: the device goes back to the host. */
static int
finish(StubdomHostdevOp *op)
{
    g_autofree char *alias = g_strdup(op->hostdev->info->alias);
    virDomainHostdevDef *hostdev = op->hostdev;
    StubdomLibxl *libxl = stubdomDomainEnter(op->driver, op->vm);
    int status;

    if (!libxl) {
        return -1;
    }
    if ((status = stubdomHostdevTakeBack(op, libxl)) == 0) {
        stubdomHostdevGive(op->driver, op->vm->def, &hostdev, 1);
    }
    stubdomDomainLeave(op->vm, libxl);
    if (status < 0) {
        stubdomSetHostdevState(op->vm, op->address, STUBDOM_HOSTDEV_LEFT);
        queueFailed(op);
    } else {
        stubdomHostdevForget(op);
        virObjectEventStateQueue(op->driver->events, virDomainEventDeviceRemovedNewFromObj(op->vm, alias));
    }
    stubdomDomainSaveStatus(op->driver, op->vm);
    return status;
}

/* With the reason reported as an error. */
static int
refused(StubdomHostdevOp *op)
{
    if (op->settings->forced) {
        VIR_WARN("PCI device %s is taken from the domain '%s' by force: %s", op->address, op->vm->def->name,
                 virGetLastErrorMessage());
        virResetLastError();
        return finish(op);
    }
    stubdomSetHostdevState(op->vm, op->address, STUBDOM_HOSTDEV_SETTLED);
    queueFailed(op);
    stubdomDomainSaveStatus(op->driver, op->vm);
    return -1;
}

static int
ask(StubdomHostdevOp *op, unsigned int patience)
{
    g_autoptr(virJSONValue) arguments = virJSONValueNewObject();
    virErrorPtr error = NULL;
    bool late = false;
    bool gone;
    int status;

    virObjectUnlock(op->vm);
    status = virJSONValueObjectAppendString(arguments, "id", op->id);
    if (status == 0) {
        status = stubdomMonitorCommand(op->monitor, "device_del", &arguments, patience, NULL);
        late = status < 0 && virGetLastErrorCode() == VIR_ERR_OPERATION_TIMEOUT;
    }
    virErrorPreserveLast(&error);
    gone = !late && stubdomHostdevIsInGuest(op) == 0; /* it may have let go before it was asked */
    virErrorRestore(&error);
    virObjectLock(op->vm);
    if (late) {
        virResetLastError();
        return 0;
    }
    if (status == 0 || gone) {
        virResetLastError();
        return finish(op);
    }
    return refused(op);
}

int
stubdomUnplug(StubdomDriver *driver, virDomainObj *vm, virDomainHostdevDef *hostdev)
{
    g_auto(StubdomHostdevOp) op = {.driver = NULL};

    if (stubdomHostdevOpInit(&op, driver, vm, hostdev) < 0) {
        return -1;
    }
    if (stubdomHostdevState(vm, op.address) == STUBDOM_HOSTDEV_REMOVING) {
        virReportError(VIR_ERR_OPERATION_FAILED,
                       _("the domain '%s' was asked to let go of PCI device %s before, and has not answered yet"),
                       vm->def->name, op.address);
        return -1;
    }
    stubdomSetHostdevState(vm, op.address, STUBDOM_HOSTDEV_REMOVING);
    stubdomDomainSaveStatus(driver, vm);
    return ask(&op, PATIENCE);
}

/* --- the device model's events --------------------------------------------------------------- */

static virDomainHostdevDef *
findById(StubdomDriver *driver, virDomainObj *vm, const char *id)
{
    for (size_t i = 0; i < vm->def->nhostdevs; i++) {
        g_auto(StubdomHostdevOp) op = {.driver = NULL};

        if (stubdomHostdevOpInit(&op, driver, vm, vm->def->hostdevs[i]) == 0 && STREQ(op.id, id)) {
            return vm->def->hostdevs[i];
        }
        virResetLastError();
    }
    return NULL;
}

/* With the job. Whoever had it before may have dealt with it already. */
static void
handleAnswer(StubdomDriver *driver, virDomainObj *vm, const Answer *answer)
{
    virDomainHostdevDef *hostdev = findById(driver, vm, answer->id);
    g_auto(StubdomHostdevOp) op = {.driver = NULL};
    StubdomHostdevState state;
    int there = 1;

    if (!hostdev || stubdomHostdevOpInit(&op, driver, vm, hostdev) < 0) {
        return;
    }
    state = stubdomHostdevState(vm, op.address);
    if (answer->deleted ? state == STUBDOM_HOSTDEV_LEFT : state != STUBDOM_HOSTDEV_REMOVING) {
        return;
    }
    if (answer->deleted) {
        virObjectUnlock(vm);
        there = stubdomHostdevIsInGuest(&op); /* one that was given to it anew is */
        virObjectLock(vm);
    } else {
        virReportError(VIR_ERR_OPERATION_FAILED, "%s", _("the guest refuses, or has not answered in time"));
    }
    if (there == 0 ? finish(&op) < 0 : !answer->deleted && refused(&op) < 0) {
        VIR_WARN("PCI device %s of the domain '%s': %s", op.address, vm->def->name, virGetLastErrorMessage());
    }
}

static void
answerThread(StubdomDriver *driver, void *opaque)
{
    g_autoptr(Answer) answer = opaque;
    virDomainObj *vm = virDomainObjListFindByID(driver->domains, (int)answer->domid);

    while (vm && vm->def->id == (int)answer->domid && !stubdomDriverIsEnding(driver)) {
        if (virDomainObjBeginJob(vm, VIR_JOB_MODIFY) == 0) {
            if (vm->def->id == (int)answer->domid) {
                handleAnswer(driver, vm, answer);
            }
            virDomainObjEndJob(vm);
            break;
        }
        virResetLastError();
    }
    virResetLastError();
    virDomainObjEndAPI(&vm);
}

void
stubdomUnplugEvent(StubdomDriver *driver, uint32_t domid, const char *name, virJSONValue *data)
{
    const char *id = data ? virJSONValueObjectGetString(data, "device") : NULL;
    bool deleted = STREQ(name, "DEVICE_DELETED");
    g_autoptr(Answer) answer = NULL;

    if (!id || (!deleted && STRNEQ(name, "DEVICE_UNPLUG_GUEST_ERROR"))) {
        return;
    }
    answer = g_new0(Answer, 1);
    answer->domid = domid;
    answer->id = g_strdup(id);
    answer->deleted = deleted;
    if (stubdomDriverRun(driver, "stubdom-unplug", answerThread, answer) == 0) {
        answer = NULL;
    }
}

/* --- after a restart ------------------------------------------------------------------------- */

static void
resumeOne(StubdomDriver *driver, virDomainObj *vm, virDomainHostdevDef *hostdev)
{
    g_auto(StubdomHostdevOp) op = {.driver = NULL};
    StubdomHostdevState state;
    int there;

    if (stubdomHostdevOpInit(&op, driver, vm, hostdev) < 0) {
        VIR_WARN("PCI device %s of the domain '%s': %s", NULLSTR(op.address), vm->def->name, virGetLastErrorMessage());
        virResetLastError();
        return;
    }
    state = stubdomHostdevState(vm, op.address);
    if (state == STUBDOM_HOSTDEV_ATTACHING) {
        stubdomHostdevCancel(&op);
        return;
    }
    virObjectUnlock(vm);
    there = stubdomHostdevIsInGuest(&op);
    virObjectLock(vm);
    if ((there == 0 && finish(&op) < 0) ||
        (there == 1 && state == STUBDOM_HOSTDEV_REMOVING && ask(&op, NO_PATIENCE) < 0)) {
        VIR_WARN("PCI device %s of the domain '%s': %s", op.address, vm->def->name, virGetLastErrorMessage());
    }
    virResetLastError();
}

void
stubdomUnplugResume(StubdomDriver *driver, virDomainObj *vm)
{
    for (size_t i = vm->def->nhostdevs; i-- > 0;) {
        resumeOne(driver, vm, vm->def->hostdevs[i]);
    }
}
