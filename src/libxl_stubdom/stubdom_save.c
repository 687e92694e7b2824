/*
 * Saving a running domain
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libxl suspends the guest, writes its memory and asks the device model for
 * the rest; what it writes goes through a stream of ours into the image. The
 * image gets its name when it is complete, and only then is the guest removed:
 * at each moment one of the two is there. The status file says that a save is
 * under way, for a libvirtd that does not live to see its end.
 */

#include "stubdom_compat.h"

#include "stubdom_save.h"

#include <sys/stat.h>
#include <unistd.h>

#include "domain_event.h"
#include "virfile.h"

#include "stubdom_guest.h"
#include "stubdom_job.h"
#include "stubdom_method.h"
#include "stubdom_process.h"
#include "stubdom_save_check.h"
#include "stubdom_save_identity.h"
#include "stubdom_save_stream.h"

VIR_LOG_INIT("stubdom.save");

typedef struct {
    StubdomDriver *driver;
    virDomainObj *vm;
    const StubdomSaveRequest *request;
    uint32_t domid;
    uint32_t stubdomain;
    bool wasPaused;
    StubdomSaveImage *image;
    StubdomSaveStream stream;
} Save;

/* --- what is saved ---------------------------------------------------------------------- */

/* @given: by a user, in place of the domain's own, from which it may differ in what the guest does not see */
static char *
formatXml(const StubdomDriver *driver, const virDomainObj *vm, const char *given)
{
    unsigned int formatFlags = VIR_DOMAIN_DEF_FORMAT_SECURE | VIR_DOMAIN_DEF_FORMAT_INACTIVE;
    g_autoptr(virDomainDef) own = NULL;
    g_autoptr(virDomainDef) def = NULL;
    g_autofree char *xml = virDomainDefFormat(vm->def, driver->xmlopt, formatFlags);

    if (!xml || !given) {
        return g_steal_pointer(&xml);
    }
    if (!(own = virDomainDefParseString(xml, driver->xmlopt, NULL, VIR_DOMAIN_DEF_PARSE_INACTIVE)) ||
        !(def = virDomainDefParseString(given, driver->xmlopt, NULL, VIR_DOMAIN_DEF_PARSE_INACTIVE)) ||
        !virDomainDefCheckABIStability(own, def, driver->xmlopt)) {
        return NULL;
    }
    return virDomainDefFormat(def, driver->xmlopt, formatFlags);
}

static char *
formatCookie(const virDomainObj *vm)
{
    g_auto(virBuffer) buffer = VIR_BUFFER_INITIALIZER;

    virBufferAddLit(&buffer, "<cookie>\n");
    if (stubdomPrivate(vm)->identity) {
        stubdomSaveIdentityFormat(&buffer, stubdomPrivate(vm)->identity);
    }
    virBufferAddLit(&buffer, "</cookie>\n");
    return virBufferContentAndReset(&buffer);
}

static bool
staysPaused(const Save *save)
{
    if (save->request->flags & (VIR_DOMAIN_SAVE_RUNNING | VIR_DOMAIN_SAVE_PAUSED)) {
        return save->request->flags & VIR_DOMAIN_SAVE_PAUSED;
    }
    return save->wasPaused;
}

/* --- before and after ----------------------------------------------------------------------- */

/* 0: there is no file. */
static unsigned long long
inodeOf(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 ? status.st_ino : 0;
}

/* What a libvirtd that finds the status file has to know. */
static int
noteBegin(Save *save)
{
    StubdomDomainPrivate *priv = stubdomPrivate(save->vm);

    priv->savingTo = g_strdup(save->request->path);
    priv->savingPaused = save->wasPaused;
    priv->savingFormer = inodeOf(save->request->path);
    priv->dataTotal = stubdomSaveEstimate(save->driver, save->vm);
    if (stubdomDomainSave(save->driver, save->vm, true, false) < 0) {
        g_clear_pointer(&priv->savingTo, g_free);
        return -1;
    }
    return 0;
}

static int
makeImage(Save *save)
{
    g_autofree char *unfinished = stubdomSaveImageUnfinished(save->request->path, save->domid);
    StubdomSaveHeader header = {.format = save->driver->defaults.saveFormat, .paused = staysPaused(save)};

    if (!(header.xml = formatXml(save->driver, save->vm, save->request->xml))) {
        return -1;
    }
    header.cookie = formatCookie(save->vm);
    if (!(save->image = stubdomSaveImageCreate(save->request->path, unfinished, &header))) {
        return -1;
    }
    return stubdomSaveStreamWrite(&save->stream, save->image, save->request->flags & VIR_DOMAIN_SAVE_BYPASS_CACHE);
}

/* libxl told of the suspension, and tells of each domain's end but once: it is asked anew. */
static void
watchAgain(StubdomDriver *driver, virDomainObj *vm)
{
    stubdomEventsUnwatch(driver->watcher, &stubdomPrivate(vm)->watch);
    if (stubdomProcessConnect(driver, vm) < 0) {
        VIR_ERROR(_("the domain '%s' runs, and its end will not be noticed: %s"), vm->def->name,
                  virGetLastErrorMessage());
    }
}

/* Unlocked. Lets a guest go on that was, or may have been, suspended. */
static int
resumeGuest(StubdomLibxl *libxl, uint32_t domid, uint32_t stubdomain, bool paused)
{
    libxl_dominfo info;
    bool ended;
    int rc;

    libxl_dominfo_init(&info);
    rc = libxl_domain_info(libxl->ctx, &info, domid);
    ended = rc == 0 && info.shutdown && info.shutdown_reason != LIBXL_SHUTDOWN_REASON_SUSPEND;
    libxl_dominfo_dispose(&info);
    if (rc != 0 || ended) {
        return 0; /* it is gone, or has crashed: it is not brought back, and its end is dealt with elsewhere */
    }
    if ((rc = libxl_domain_resume(libxl->ctx, domid, 1, NULL)) != 0) {
        stubdomLibxlError(libxl, rc, _("the guest cannot be resumed"));
        return -1;
    }
    if (paused && stubdomain) {
        ignore_value(libxl_domain_pause(libxl->ctx, stubdomain, NULL));
    }
    return 0;
}

/* The guest could not be resumed. Without its stubdomain it never can. */
static void
stayBehind(StubdomDriver *driver, virDomainObj *vm)
{
    StubdomDomainPrivate *priv = stubdomPrivate(vm);
    StubdomGuestLife life =
        priv->stubdomain ? stubdomGuestLife(driver->libxl, priv->stubdomain, NULL) : STUBDOM_GUEST_GONE;

    VIR_ERROR(_("the domain '%s' was not saved, and is still suspended: %s"), vm->def->name, virGetLastErrorMessage());
    if (life != STUBDOM_GUEST_GONE && life != STUBDOM_GUEST_SHUTDOWN) {
        return;
    }
    if (stubdomProcessStop(driver, vm, VIR_DOMAIN_SHUTOFF_CRASHED) < 0) {
        VIR_ERROR(_("the domain '%s' cannot be removed: %s"), vm->def->name, virGetLastErrorMessage());
        return;
    }
    g_free(priv->endReason);
    priv->endReason = g_strdup(_("its stubdomain ended while it was saved"));
    stubdomDomainQueueLifecycle(driver, vm, VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_FAILED);
}

/* The error that is reported stays. */
static void
goOn(StubdomDriver *driver, virDomainObj *vm, uint32_t domid, bool paused)
{
    uint32_t stubdomain = stubdomPrivate(vm)->stubdomain;
    virErrorPtr error = NULL;
    StubdomLibxl *libxl;
    int status = -1;

    virErrorPreserveLast(&error);
    if ((libxl = stubdomDomainEnter(driver, vm))) {
        status = resumeGuest(libxl, domid, stubdomain, paused);
        stubdomDomainLeave(vm, libxl);
    }
    if (vm->def->id != (int)domid) {
        VIR_INFO("the domain '%s' has ended meanwhile", vm->def->name);
    } else if (status < 0) {
        stayBehind(driver, vm);
    } else {
        watchAgain(driver, vm);
        if (!paused) {
            virDomainObjSetState(vm, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_SAVE_CANCELED);
            stubdomDomainQueueLifecycle(driver, vm, VIR_DOMAIN_EVENT_RESUMED, VIR_DOMAIN_EVENT_RESUMED_UNPAUSED);
        } else {
            virDomainObjSetState(vm, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER);
        }
    }
    virErrorRestore(&error);
}

/* --- the save ----------------------------------------------------------------------------------- */

/* Unlocked. A paused domain's stubdomain is paused too, and could not answer. */
static int
suspend(Save *save, StubdomLibxl *libxl)
{
    int rc;

    if (save->wasPaused && save->stubdomain &&
        stubdomGuestLife(libxl, save->stubdomain, NULL) == STUBDOM_GUEST_PAUSED &&
        (rc = libxl_domain_unpause(libxl->ctx, save->stubdomain, NULL)) != 0) {
        stubdomLibxlError(libxl, rc, _("the stubdomain cannot be unpaused"));
        return -1;
    }
    if ((rc = libxl_domain_suspend(libxl->ctx, save->domid, save->stream.fd, 0, NULL)) != 0) {
        g_autofree char *text = stubdomLibxlErrorText(libxl, rc);

        virReportError(VIR_ERR_OPERATION_FAILED, _("the domain cannot be saved to '%s': %s"), save->request->path,
                       text);
        return -1;
    }
    return 0;
}

/* Unlocked. The pump's error is the cause of libxl's, if there is one. */
static int
finishStream(Save *save, int suspended, StubdomPumpResult *data)
{
    virErrorPtr error = NULL;

    if (suspended < 0) {
        virErrorPreserveLast(&error);
    }
    if (stubdomSaveStreamFinish(&save->stream, data) < 0) {
        virFreeError(error);
        return -1;
    }
    if (error) {
        virErrorRestore(&error);
    }
    return suspended;
}

/* Returns 0 when the image is complete. */
static int
transfer(Save *save)
{
    StubdomPumpResult data = {.bytes = 0};
    StubdomLibxl *libxl = stubdomDomainEnter(save->driver, save->vm);
    int status;

    if (!libxl) {
        ignore_value(finishStream(save, -1, &data));
        return -1;
    }
    status = finishStream(save, suspend(save, libxl), &data);
    if (status == 0) {
        status = stubdomSaveImageFinish(save->image, &data);
    }
    stubdomDomainLeave(save->vm, libxl);
    return status;
}

/* The image is complete. If the guest cannot be removed it goes on, and the image does not stay. */
static int
endGuest(Save *save)
{
    virDomainObj *vm = save->vm;

    if (stubdomProcessStop(save->driver, vm, VIR_DOMAIN_SHUTOFF_SAVED) < 0) {
        unlink(save->request->path);
        return -1;
    }
    vm->hasManagedSave |= save->request->managed;
    stubdomDomainQueueLifecycle(save->driver, vm, VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_SAVED);
    return 0;
}

static int
run(Save *save)
{
    virDomainObj *vm = save->vm;
    int status;

    if (!save->wasPaused) {
        virDomainObjSetState(vm, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_SAVE);
        stubdomDomainQueueLifecycle(save->driver, vm, VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_PAUSED);
    }
    stubdomPrivate(vm)->pump = stubdomPumpRef(save->stream.pump);
    status = transfer(save);
    g_clear_pointer(&stubdomPrivate(vm)->pump, stubdomPumpUnref);
    if (vm->def->id != (int)save->domid) {
        if (status == 0) {
            unlink(save->request->path);
        }
        virReportError(VIR_ERR_OPERATION_ABORTED, _("the domain '%s' was destroyed while it was saved"), vm->def->name);
        return -1;
    }
    if (status == 0 && (status = endGuest(save)) == 0) {
        stubdomJobCompleted(vm, VIR_DOMAIN_JOB_OPERATION_SAVE, save->image->data.bytes);
    }
    g_clear_pointer(&save->image, stubdomSaveImageFree); /* before the guest goes on: it may need the space */
    if (status < 0) {
        goOn(save->driver, vm, save->domid, save->wasPaused);
    }
    return status;
}

int
stubdomSaveDomain(StubdomDriver *driver, virDomainObj *vm, const StubdomSaveRequest *request)
{
    Save save = {.driver = driver, .vm = vm, .request = request, .stream = STUBDOM_SAVE_STREAM_INIT};
    StubdomDomainPrivate *priv = stubdomPrivate(vm);
    int status = -1;

    if (!stubdomDomid(vm, &save.domid)) {
        virReportError(VIR_ERR_OPERATION_INVALID, _("the domain '%s' is being started"), vm->def->name);
        return -1;
    }
    if (stubdomSaveCheck(driver, vm, request->path, driver->defaults.saveFormat) < 0 ||
        stubdomDomainCheckActive(vm) < 0) {
        return -1;
    }
    save.stubdomain = priv->stubdomain;
    save.wasPaused = virDomainObjGetState(vm, NULL) == VIR_DOMAIN_PAUSED;
    if (noteBegin(&save) < 0) {
        return -1;
    }
    if (makeImage(&save) == 0) {
        status = run(&save);
    }
    stubdomSaveImageFree(save.image);
    g_clear_pointer(&priv->savingTo, g_free);
    if (virDomainObjIsActive(vm)) {
        stubdomDomainSaveStatus(driver, vm);
    }
    return status;
}

/* --- after a libvirtd that was killed -------------------------------------------------------------- */

static bool
wasSuspended(const StubdomDriver *driver, uint32_t domid)
{
    libxl_dominfo info;
    bool suspended;

    libxl_dominfo_init(&info);
    suspended = libxl_domain_info(driver->libxl->ctx, &info, domid) == 0 && info.shutdown &&
                info.shutdown_reason == LIBXL_SHUTDOWN_REASON_SUSPEND;
    libxl_dominfo_dispose(&info);
    return suspended;
}

/*
 * Whether the image has been given its name. While it is unfinished it has another one, and a file of the same name
 * that was there before is another file.
 */
static bool
isComplete(const virDomainObj *vm, const char *path, uint32_t domid)
{
    g_autofree char *unfinished = stubdomSaveImageUnfinished(path, domid);
    unsigned long long inode = inodeOf(path);
    g_autoptr(StubdomSaveImage) image = NULL;

    if (unlink(unfinished) == 0 || inode == 0 || inode == stubdomPrivate(vm)->savingFormer) {
        return false;
    }
    image = stubdomSaveImageOpen(path);
    if (!image || stubdomSaveImageSyncDirectory(path) < 0) {
        VIR_WARN("the domain '%s': %s", vm->def->name, virGetLastErrorMessage());
        virResetLastError();
        return false;
    }
    return true;
}

void
stubdomSaveRecover(StubdomDriver *driver, virDomainObj *vm)
{
    StubdomDomainPrivate *priv = stubdomPrivate(vm);
    uint32_t domid = 0;

    if (!priv->savingTo || !stubdomDomid(vm, &domid)) {
        return;
    }
    if (isComplete(vm, priv->savingTo, domid) && wasSuspended(driver, domid)) {
        VIR_INFO("the domain '%s' was saved to '%s'", vm->def->name, priv->savingTo);
        if (stubdomProcessStop(driver, vm, VIR_DOMAIN_SHUTOFF_SAVED) == 0) {
            stubdomDomainQueueLifecycle(driver, vm, VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_SAVED);
        }
    } else {
        VIR_INFO("the domain '%s' was not saved to '%s', and goes on", vm->def->name, priv->savingTo);
        goOn(driver, vm, domid, priv->savingPaused);
    }
    g_clear_pointer(&priv->savingTo, g_free);
    if (virDomainObjIsActive(vm)) {
        stubdomDomainSaveStatus(driver, vm);
    }
}

bool
stubdomSaveRecoverGone(virDomainObj *vm)
{
    StubdomDomainPrivate *priv = stubdomPrivate(vm);
    g_autofree char *path = g_steal_pointer(&priv->savingTo);
    uint32_t domid = 0;
    bool saved;

    if (!path || !stubdomDomid(vm, &domid)) {
        return false;
    }
    saved = isComplete(vm, path, domid);
    if (!saved) {
        g_free(priv->endReason);
        priv->endReason =
            g_strdup_printf(_("libvirtd ended while it was saved to '%s'; the guest has ended, too, and the "
                              "image is not complete"),
                            path);
        VIR_ERROR(_("the domain '%s': %s"), vm->def->name, priv->endReason);
    }
    return saved;
}
