/*
 * What methods on a domain have in common
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A method that changes a domain
 *
 *     finds it (stubdomDomainFind, stubdom_list.h): locked, with a reference;
 *     checks the ACL (virDomain…EnsureACL);
 *     begins a job (stubdomDomainBeginJob), which is what protects the domain from here on;
 *     selects the definitions (virDomainObjGetDefs) and builds what it needs from them;
 *     for anything that may wait leaves the lock (stubdomDomainEnter … stubdomDomainLeave);
 *     changes the definitions, and writes them (stubdomDomainSave);
 *     ends the job (virDomainObjEndJob) and the use of the domain (virDomainObjEndAPI);
 *     queues its events (virObjectEventStateQueue).
 *
 * A method that only asks needs no job: a short question on driver->libxl may be put with the domain locked. Nothing
 * else may: no monitor, no libxl call that waits for a domain, a device or a script.
 */

#pragma once

#include "stubdom_conf.h"
#include "stubdom_private.h"
#include "virdomainjob.h"

/**
 * stubdomDomainBeginJob: begins a job, and checks that the domain is active if it must be.
 * @vm: locked, with a reference; may be unlocked for up to 30 s meanwhile
 * @job: VIR_JOB_MODIFY for most, VIR_JOB_DESTROY for what may end it, VIR_JOB_QUERY for what only asks
 * @active: whether the domain must run
 *
 * Returns 0, and virDomainObjEndJob() is due; or -1 with an error reported and no job.
 */
int stubdomDomainBeginJob(virDomainObj *vm, virDomainJob job, bool active);

/**
 * stubdomDomainCheckActive: whether the domain runs, or is being started by who has the job.
 *
 * Returns 0, or -1 with VIR_ERR_OPERATION_INVALID reported.
 */
int stubdomDomainCheckActive(const virDomainObj *vm);

/**
 * stubdomDomainMonitor: the connection to the device model, for a thread that leaves the domain's lock.
 * @vm: locked
 *
 * Returns it, to be freed with stubdomMonitorUnref(), or NULL with an error reported.
 */
StubdomMonitor *stubdomDomainMonitor(const virDomainObj *vm);

/**
 * stubdomDomainEnter: opens a context of libxl's, then unlocks the domain.
 * @vm: locked, with a reference and a job of ours
 *
 * Meanwhile others may look at the domain, and Xen's domain may end; nobody changes @vm or its definitions.
 *
 * Returns the context; or NULL with an error reported and @vm still locked.
 */
StubdomLibxl *stubdomDomainEnter(const StubdomDriver *driver, virDomainObj *vm);

/**
 * stubdomDomainLeave: closes the context and locks the domain again. An error reported before stays.
 */
void stubdomDomainLeave(virDomainObj *vm, StubdomLibxl *libxl);

/**
 * stubdomDomainSave: writes down what was changed.
 * @live: the status of the running domain
 * @config: the persistent definition
 *
 * Returns 0, or -1 with an error reported.
 */
int stubdomDomainSave(const StubdomDriver *driver, virDomainObj *vm, bool live, bool config);

/**
 * stubdomDomainSaveStatus: writes the status of the running domain. A failure is logged, as the change is made already.
 */
void stubdomDomainSaveStatus(const StubdomDriver *driver, virDomainObj *vm);

/**
 * stubdomDomainQueueLifecycle: queues a lifecycle event.
 */
void stubdomDomainQueueLifecycle(const StubdomDriver *driver, virDomainObj *vm, int type, int detail);
