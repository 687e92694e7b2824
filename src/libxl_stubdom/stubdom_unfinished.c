/*
 * A plugging or unplugging that the end of libvirtd cut off
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libxl changes the guest, and the live definition follows. Who dies in between
 * leaves a guest with a device nobody knows of, or a definition with one that is
 * gone. So what is about to change is in the domain's status, and the next
 * libvirtd takes it away. Devices others plugged, with xl say, are left alone.
 */

#include "stubdom_compat.h"

#include "stubdom_unfinished.h"

#include <libxl_utils.h>

#include "stubdom_hotplug.h"
#include "stubdom_method.h"
#include "stubdom_take.h"

VIR_LOG_INIT("stubdom.unfinished");

void
stubdomUnfinishedBegin(const StubdomDriver *driver, virDomainObj *vm, virDomainDeviceType kind, const char *name)
{
    StubdomDomainPrivate *priv = stubdomPrivate(vm);

    g_free(priv->changing);
    priv->changing = g_strdup(name);
    priv->changingKind = kind;
    stubdomDomainSaveStatus(driver, vm);
}

void
stubdomUnfinishedEnd(const StubdomDriver *driver, virDomainObj *vm)
{
    virErrorPtr error = NULL;

    virErrorPreserveLast(&error);
    g_clear_pointer(&stubdomPrivate(vm)->changing, g_free);
    if (virDomainObjIsActive(vm)) {
        stubdomDomainSaveStatus(driver, vm);
    }
    virErrorRestore(&error);
}

/* Unlocked. Whether the guest has the device. */
static bool
isInGuest(StubdomLibxl *libxl, uint32_t domid, virDomainDeviceType kind, const char *name)
{
    libxl_device_disk disk;
    libxl_device_nic nic;
    bool found;

    if (kind == VIR_DOMAIN_DEVICE_DISK) {
        libxl_device_disk_init(&disk);
        found = libxl_vdev_to_device_disk(libxl->ctx, domid, name, &disk) == 0;
        libxl_device_disk_dispose(&disk);
    } else {
        libxl_device_nic_init(&nic);
        found = stubdomLibxlFindNic(libxl, domid, name, &nic);
        libxl_device_nic_dispose(&nic);
    }
    return found;
}

/* Takes the device from the guest, if it has it. */
static int
takeFromGuest(StubdomDriver *driver, virDomainObj *vm, virDomainDeviceType kind, const char *name)
{
    StubdomLibxl *libxl;
    uint32_t domid = 0;
    int status = 0;

    if (!stubdomDomid(vm, &domid) || !(libxl = stubdomDomainEnter(driver, vm))) {
        return -1;
    }
    if (isInGuest(libxl, domid, kind, name)) {
        status =
            kind == VIR_DOMAIN_DEVICE_DISK ? stubdomTakeDisk(libxl, domid, name) : stubdomTakeNet(libxl, domid, name);
    }
    stubdomDomainLeave(vm, libxl);
    return status;
}

void
stubdomUnfinishedResolve(StubdomDriver *driver, virDomainObj *vm)
{
    StubdomDomainPrivate *priv = stubdomPrivate(vm);
    g_autofree char *name = g_strdup(priv->changing);

    if (!name) {
        return;
    }
    if (takeFromGuest(driver, vm, priv->changingKind, name) < 0) {
        VIR_WARN("the domain '%s': the %s '%s', of which libvirtd was interrupted, stays in the guest: %s",
                 vm->def->name, virDomainDeviceTypeToString(priv->changingKind), name, virGetLastErrorMessage());
        virResetLastError();
    } else {
        VIR_INFO("the domain '%s': the %s '%s' is taken away, as libvirtd was interrupted", vm->def->name,
                 virDomainDeviceTypeToString(priv->changingKind), name);
        stubdomHotplugForget(driver, vm, priv->changingKind, name);
    }
    stubdomUnfinishedEnd(driver, vm);
}
