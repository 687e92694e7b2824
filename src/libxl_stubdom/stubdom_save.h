/*
 * Saving a running domain
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "stubdom_conf.h"
#include "stubdom_save_image.h"

typedef struct {
    const char *path;   /* of the image */
    const char *xml;    /* to be saved in place of the domain's own, or NULL */
    bool managed;       /* it is the image the domain is started from next */
    unsigned int flags; /* VIR_DOMAIN_SAVE_BYPASS_CACHE, _RUNNING, _PAUSED */
} StubdomSaveRequest;

/**
 * stubdomSaveDomain: saves a domain to a file, and ends it.
 * @vm: locked, active, with VIR_ASYNC_JOB_SAVE of the caller's; unlocked meanwhile
 *
 * What can be known beforehand is refused before the guest stops. On success the image is complete and on the disk, the
 * domain is inactive, its events are queued, and if it is transient it is forgotten. If the save fails or is given up
 * (stubdomPumpAbort() of its private data's pump) nothing is left of it and the guest goes on.
 *
 * Returns 0, or -1 with an error reported.
 */
int stubdomSaveDomain(StubdomDriver *driver, virDomainObj *vm, const StubdomSaveRequest *request);

/**
 * stubdomSaveRecover: ends what a libvirtd that was killed had begun to save.
 * @vm: locked, active, with a job of the caller's; unlocked meanwhile
 *
 * If the image was complete the guest is removed; otherwise what there is of it is removed, and the guest goes on.
 */
void stubdomSaveRecover(StubdomDriver *driver, virDomainObj *vm);

/**
 * stubdomSaveRecoverGone: the same for a domain whose guest is gone.
 * @vm: locked
 *
 * Returns whether that is because it was saved. If it was being saved and its image is not complete, the domain's
 * messages say so until its next start.
 */
bool stubdomSaveRecoverGone(virDomainObj *vm);
