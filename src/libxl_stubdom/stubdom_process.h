/*
 * Starting and stopping a domain
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * All functions: @vm is locked and referenced, and the caller has its job.
 * They unlock it while they wait.
 */

#pragma once

#include "stubdom_conf.h"
#include "stubdom_restore.h"

typedef enum {
    STUBDOM_PROCESS_START_PAUSED = 1 << 0,
    STUBDOM_PROCESS_START_AUTODESTROY = 1 << 1, /* ends with the connection */
} StubdomProcessStartFlags;

/**
 * stubdomProcessStart: starts an inactive domain.
 * @conn: for AUTODESTROY, or NULL
 * @reason: VIR_DOMAIN_RUNNING_BOOTED, or what else led to it
 * @flags: of StubdomProcessStartFlags
 *
 * On success the domain runs, or is paused, its status is written and its events are queued. Otherwise nothing of it is
 * left, and the error quotes libxl and the device model. While it is being started it is active, paused, and has an id
 * of STUBDOM_ID_STARTING on (stubdom_private.h).
 *
 * Returns 0, or -1 with an error reported.
 */
int stubdomProcessStart(StubdomDriver *driver, virDomainObj *vm, virConnectPtr conn, virDomainRunningReason reason,
                        unsigned int flags);

/**
 * stubdomProcessRestore: the same from a save image.
 * @restore: with an image; a managed one is gone on success, and as it was on failure
 */
int stubdomProcessRestore(StubdomDriver *driver, virDomainObj *vm, virConnectPtr conn, const StubdomRestore *restore,
                          unsigned int flags);

/**
 * stubdomProcessRestart: ends an active domain and starts it anew with the definition it has, its events queued.
 * @reason: why it ended
 * @detail: the same for the event, of virDomainEventStoppedDetailType
 *
 * Returns 0; or -1 with an error reported, and the domain is inactive.
 */
int stubdomProcessRestart(StubdomDriver *driver, virDomainObj *vm, virDomainShutoffReason reason, int detail);

/**
 * stubdomProcessStop: destroys guest and stubdomain, and makes the domain inactive.
 * @reason: why, for its state
 *
 * No event is queued. A transient domain stays in the list (stubdomProcessRemoveInactive()).
 *
 * Returns 0, also for a domain Xen does not know any more; or -1 with an error reported if libxl could not destroy it,
 * and it is as active as before.
 */
int stubdomProcessStop(StubdomDriver *driver, virDomainObj *vm, virDomainShutoffReason reason);

/**
 * stubdomProcessEnded: makes a domain inactive of which nothing is left in Xen, or which is kept there without us.
 * @vm: locked, with a job; it is unlocked while devices go back to the host and the network driver is told, which may
 * take any time
 */
void stubdomProcessEnded(StubdomDriver *driver, virDomainObj *vm, virDomainShutoffReason reason);

/**
 * stubdomProcessRemoveInactive: forgets the domain if it is transient and inactive.
 */
void stubdomProcessRemoveInactive(StubdomDriver *driver, virDomainObj *vm);

/**
 * stubdomProcessConnect: takes an active domain's guest under watch: end of the guest, monitor, stubdomain.
 *
 * Used by a start and after a restart of libvirtd. A monitor that cannot be had is no failure, and logged: the guest's
 * end is noticed without it.
 *
 * Returns 0, or -1 with an error reported.
 */
int stubdomProcessConnect(StubdomDriver *driver, virDomainObj *vm);
