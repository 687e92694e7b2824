/*
 * Making a guest of a save image
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libxl reads the stream out of a pipe, as it was written into one. That it is
 * the stream that was saved is known when the last byte has been read; until
 * then the guest is paused, and it is destroyed if it is not.
 *
 * A managed image must never be restored twice, because the disks have gone on
 * since. NAME.save becomes NAME.save.used before the guest runs, and goes when
 * it does. A libvirtd that is killed leaves one of the two names, and the
 * status file says that the guest has not run yet.
 */

#include "stubdom_compat.h"

#include "stubdom_restore.h"

#include <unistd.h>

#include "domain_event.h"
#include "virfile.h"

#include "stubdom_guest.h"
#include "stubdom_managed.h"
#include "stubdom_method.h"
#include "stubdom_process.h"
#include "stubdom_save_identity.h"
#include "stubdom_save_stream.h"

VIR_LOG_INIT("stubdom.restore");

/* Of libxl's streams since Xen 4.6. */
#define STREAM_VERSION 2

int
stubdomRestoreCheck(const StubdomDriver *driver, const virDomainObj *vm, const StubdomRestore *restore)
{
    return restore->image ? stubdomSaveIdentityCheck(restore->image->header.cookie, stubdomPrivate(vm)->identity,
                                                     restore->image->path, driver->defaults.restoreOtherImage)
                          : 0;
}

/* Unlocked. */
static int
create(StubdomLibxl *libxl, libxl_domain_config *config, StubdomSaveStream *stream, uint32_t *domid, char **cause)
{
    libxl_domain_restore_params params;
    int rc;

    libxl_domain_restore_params_init(&params);
    params.stream_version = STREAM_VERSION;
    rc = libxl_domain_create_restore(libxl->ctx, config, domid, stream->fd, -1, &params, NULL, NULL);
    libxl_domain_restore_params_dispose(&params);
    if (rc != 0) {
        *cause = stubdomLibxlErrorText(libxl, rc);
    }
    return rc == 0 ? 0 : -1;
}

/* Unlocked. A stream that is not the one that was saved is the cause of whatever libxl said of it. */
static int
verify(const StubdomSaveImage *image, StubdomSaveStream *stream, int created, char **cause)
{
    StubdomPumpResult data = {.bytes = 0};

    if (stubdomSaveStreamFinish(stream, &data) < 0) {
        if (created == 0 || !*cause) {
            return -1;
        }
        virResetLastError();
        return -1; /* what libxl says is more to the point than that nobody read the rest */
    }
    if (data.bytes != image->data.bytes || memcmp(data.digest, image->data.digest, sizeof(data.digest)) != 0) {
        g_clear_pointer(cause, g_free);
        virReportError(VIR_ERR_OPERATION_FAILED,
                       _("'%s' is damaged: the digest of its stream is another one than when it was saved"),
                       image->path);
        return -1;
    }
    return created;
}

int
stubdomRestoreGuest(StubdomDriver *driver, virDomainObj *vm, libxl_domain_config *config, const StubdomRestore *restore,
                    uint32_t *domid, char **cause)
{
    StubdomDomainPrivate *priv = stubdomPrivate(vm);
    StubdomSaveStream stream = STUBDOM_SAVE_STREAM_INIT;
    StubdomPumpResult unused = {.bytes = 0};
    StubdomLibxl *libxl;
    int status;

    if (stubdomSaveStreamRead(&stream, restore->image, restore->bypassCache) < 0) {
        return -1;
    }
    priv->pump = stubdomPumpRef(stream.pump);
    priv->dataTotal = restore->image->data.bytes;
    if (!(libxl = stubdomDomainEnter(driver, vm))) {
        stubdomPumpAbort(stream.pump);
        ignore_value(stubdomSaveStreamFinish(&stream, &unused));
        g_clear_pointer(&priv->pump, stubdomPumpUnref);
        return -1;
    }
    status = create(libxl, config, &stream, domid, cause);
    status = verify(restore->image, &stream, status, cause);
    stubdomDomainLeave(vm, libxl);
    g_clear_pointer(&priv->pump, stubdomPumpUnref);
    return status;
}

/* --- the managed image ------------------------------------------------------------------ */

int
stubdomRestoreCommit(const StubdomDriver *driver, virDomainObj *vm, const StubdomRestore *restore)
{
    StubdomDomainPrivate *priv = stubdomPrivate(vm);

    priv->restored = true;
    priv->restoredManaged = restore->managed;
    priv->restoredPaused = restore->paused;
    if (stubdomDomainSave(driver, vm, true, false) < 0 || (restore->managed && stubdomManagedUse(driver, vm) < 0)) {
        priv->restored = false;
        return -1;
    }
    return 0;
}

void
stubdomRestoreUndo(const StubdomDriver *driver, virDomainObj *vm, const StubdomRestore *restore)
{
    stubdomPrivate(vm)->restored = false;
    if (restore->managed) {
        stubdomManagedUnuse(driver, vm);
    }
}

void
stubdomRestoreCommitted(const StubdomDriver *driver, virDomainObj *vm)
{
    StubdomDomainPrivate *priv = stubdomPrivate(vm);

    if (priv->restored && priv->restoredManaged) {
        stubdomManagedUsed(driver, vm);
    }
    priv->restored = false;
}

/* --- after a libvirtd that was killed ------------------------------------------------------ */

static void
runGuest(StubdomDriver *driver, virDomainObj *vm)
{
    uint32_t stubdomain = stubdomPrivate(vm)->stubdomain;
    StubdomLibxl *libxl;
    uint32_t domid = 0;
    int status;

    if (!stubdomDomid(vm, &domid) || !(libxl = stubdomDomainEnter(driver, vm))) {
        return;
    }
    status = stubdomGuestUnpause(libxl, domid, stubdomain);
    stubdomDomainLeave(vm, libxl);
    if (status < 0) {
        VIR_ERROR(_("the domain '%s' was restored, and stays paused: %s"), vm->def->name, virGetLastErrorMessage());
        return;
    }
    virDomainObjSetState(vm, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_RESTORED);
}

void
stubdomRestoreRecover(StubdomDriver *driver, virDomainObj *vm)
{
    StubdomDomainPrivate *priv = stubdomPrivate(vm);

    if (!priv->restored) {
        return;
    }
    if (priv->restoredManaged && stubdomManagedExists(driver, vm)) {
        priv->restored = false;
        if (stubdomProcessStop(driver, vm, VIR_DOMAIN_SHUTOFF_FAILED) < 0) {
            VIR_ERROR(_("what an interrupted restore left of '%s' remains: %s"), vm->def->name,
                      virGetLastErrorMessage());
            return;
        }
        stubdomDomainQueueLifecycle(driver, vm, VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_FAILED);
        return;
    }
    if (!priv->restoredPaused) {
        runGuest(driver, vm);
    }
    stubdomRestoreCommitted(driver, vm);
    stubdomDomainSaveStatus(driver, vm);
}
