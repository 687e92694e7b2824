/*
 * Whether a domain can be saved
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libxl asks the device model only when the guest has stopped. A refusal is
 * worth most before that, so everything is asked here that has an answer.
 */

#include "stubdom_compat.h"

#include "stubdom_save_check.h"

#include <sys/statvfs.h>

#include "stubdom_method.h"

/* Seconds until xen-stubdom-dm must have said whether it can save: it asks nobody. */
#define QUERY_TIMEOUT 10

#define BYTES_PER_KIB 1024ULL

/* xen-stubdom-dm's, if nobody says otherwise. */
#define SAVE_LIMIT_DEFAULT (64ULL * 1024) /* KiB */

/* Of a stream beside memory and device state: headers, 8 bytes a page, CPUs, xenstore's nodes. */
#define STREAM_OVERHEAD (4ULL * 1024 * 1024)

static unsigned long long
saveLimit(const StubdomDriver *driver, const virDomainDef *def)
{
    const StubdomSettings *settings = def->namespaceData;
    unsigned long long limit = settings ? settings->saveLimit : 0;

    limit = limit ? limit : driver->defaults.stubdomain.saveLimit;
    return (limit ? limit : SAVE_LIMIT_DEFAULT) * BYTES_PER_KIB;
}

unsigned long long
stubdomSaveEstimate(const StubdomDriver *driver, const virDomainObj *vm)
{
    unsigned long long memory = virDomainDefGetMemoryTotal(vm->def);

    for (size_t i = 0; i < vm->def->nvideos; i++) {
        memory += vm->def->videos[i]->vram;
    }
    return memory * BYTES_PER_KIB + memory / 4 * 8 + saveLimit(driver, vm->def) + STREAM_OVERHEAD;
}

/* A packed image is smaller by nobody knows how much. */
static int
checkSpace(const StubdomDriver *driver, const virDomainObj *vm, const char *path, StubdomSaveFormat format)
{
    g_autofree char *directory = g_path_get_dirname(path);
    unsigned long long need = stubdomSaveEstimate(driver, vm);
    unsigned long long space;
    struct statvfs status;

    if (statvfs(directory, &status) < 0) {
        virReportSystemError(errno, _("the directory '%s' cannot take a save image"), directory);
        return -1;
    }
    space = (unsigned long long)status.f_bavail * status.f_frsize;
    if (format != STUBDOM_SAVE_FORMAT_RAW) {
        need = saveLimit(driver, vm->def);
    }
    if (space < need) {
        virReportError(
            VIR_ERR_OPERATION_FAILED,
            _("the file system of '%s' has %llu bytes left; the save image of the domain '%s' may need %llu"),
            directory, space, vm->def->name, need);
        return -1;
    }
    return 0;
}

static int
checkDevices(const virDomainObj *vm)
{
    if (vm->def->nhostdevs > 0) {
        virReportError(VIR_ERR_OPERATION_INVALID,
                       _("the domain '%s' has %zu devices of the host, whose state cannot be saved: detach them first"),
                       vm->def->name, vm->def->nhostdevs);
        return -1;
    }
    return 0;
}

/* Its stubdomain image, its space and its devices are the device model's to know. */
static int
askDeviceModel(virDomainObj *vm)
{
    g_autoptr(StubdomMonitor) monitor = NULL;
    int status;

    if (!stubdomPrivate(vm)->monitor) {
        virReportError(VIR_ERR_OPERATION_FAILED,
                       _("there is no connection to the device model of the domain '%s', which has its devices' state"),
                       vm->def->name);
        return -1;
    }
    monitor = stubdomMonitorRef(stubdomPrivate(vm)->monitor);
    virObjectUnlock(vm);
    status = stubdomMonitorCommand(monitor, "stubdom-query-save", NULL, QUERY_TIMEOUT, NULL);
    virObjectLock(vm);
    return status;
}

int
stubdomSaveCheck(const StubdomDriver *driver, virDomainObj *vm, const char *path, StubdomSaveFormat format)
{
    virDomainState state = virDomainObjGetState(vm, NULL);

    if (state != VIR_DOMAIN_RUNNING && state != VIR_DOMAIN_PAUSED) {
        virReportError(VIR_ERR_OPERATION_INVALID, _("the domain '%s' has ended and is only kept (%s)"), vm->def->name,
                       virDomainStateTypeToString((int)state));
        return -1;
    }
    return checkDevices(vm) < 0 || checkSpace(driver, vm, path, format) < 0 || askDeviceModel(vm) < 0 ? -1 : 0;
}
