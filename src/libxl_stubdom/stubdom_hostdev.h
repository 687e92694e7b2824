/*
 * PCI devices of the host in a domain that runs
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * All functions with a @vm: it is locked, active and referenced, and the
 * caller has its job. They unlock it while they wait.
 */

#pragma once

#include "stubdom_conf.h"
#include "stubdom_private.h"

/* A device and what is needed to do something to it with the domain unlocked. */
typedef struct {
    StubdomDriver *driver;
    virDomainObj *vm;
    virDomainHostdevDef *hostdev;
    StubdomMonitor *monitor;                /* a reference */
    const StubdomHostdevSettings *settings; /* the domain's */
    uint32_t domid;
    uint32_t stubdomain;
    libxl_device_pci pci;
    char *address; /* DDDD:BB:DD.F on the host */
    char *id;      /* for the device model, as libxl makes it */
} StubdomHostdevOp;

/**
 * stubdomHostdevOpInit: fills @op, to be cleared also on failure.
 * @hostdev: of @vm, or about to be
 *
 * What is said of the device in the definition for the next start counts, so that it can be said while the domain runs.
 *
 * Returns 0, or -1 with an error reported: the domain is being started, or its device model is not connected.
 */
int stubdomHostdevOpInit(StubdomHostdevOp *op, StubdomDriver *driver, virDomainObj *vm, virDomainHostdevDef *hostdev);
void stubdomHostdevOpClear(StubdomHostdevOp *op);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(StubdomHostdevOp, stubdomHostdevOpClear)

/**
 * stubdomHostdevIsInGuest: whether the guest has the device, as its device model says. Unlocked.
 *
 * Returns 1, 0, or -1 with an error reported.
 */
int stubdomHostdevIsInGuest(const StubdomHostdevOp *op);

/**
 * stubdomHostdevTakeBack: takes the device from guest and stubdomain, whether they have let go of it or not. Unlocked.
 *
 * Returns 0, also if they do not have it; or -1 with an error reported.
 */
int stubdomHostdevTakeBack(const StubdomHostdevOp *op, StubdomLibxl *libxl);

/**
 * stubdomHostdevForget: removes the device, and the network card it may be, from the live definition. Its state is
 * forgotten with it, and op->hostdev is gone.
 */
void stubdomHostdevForget(StubdomHostdevOp *op);

/**
 * stubdomHostdevPrepare: takes all devices of a domain that is about to be started from the host.
 * stubdomHostdevRelease: gives them back when it has ended. All that is running of it must be gone.
 *
 * The first returns 0, or -1 with an error reported and none taken.
 */
int stubdomHostdevPrepare(StubdomDriver *driver, virDomainObj *vm);
void stubdomHostdevRelease(StubdomDriver *driver, virDomainObj *vm);

/**
 * stubdomHostdevFill: writes into the live definition where in the guest its devices are.
 *
 * Returns 0, or -1 with an error reported.
 */
int stubdomHostdevFill(virDomainObj *vm);

/**
 * stubdomHostdevAttach: gives a device to a running guest, or to nobody.
 * @dev: of VIR_DOMAIN_DEVICE_HOSTDEV, or a _NET that is a device of the host; cleared once it belongs to @vm
 *
 * Queues DEVICE_ADDED.
 *
 * Returns 0; or -1 with an error reported that names the step, and the device is the host's as before.
 */
int stubdomHostdevAttach(StubdomDriver *driver, virDomainObj *vm, virDomainDeviceDef *dev);

/**
 * stubdomHostdevCancel: undoes what there is of an attachment that an end of libvirtd interrupted.
 */
void stubdomHostdevCancel(StubdomHostdevOp *op);
