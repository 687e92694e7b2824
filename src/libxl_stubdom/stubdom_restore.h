/*
 * Making a guest of a save image
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The part of a start that is different from one that boots. Used by
 * stubdom_process.c.
 */

#pragma once

#include "stubdom_conf.h"
#include "stubdom_save_image.h"

typedef struct {
    StubdomSaveImage *image; /* as opened; NULL: the guest boots */
    bool managed;            /* it is the domain's managed image, which is used up */
    bool bypassCache;        /* of the kernel */
    bool paused;             /* the domain is to stay paused */
} StubdomRestore;

/**
 * stubdomRestoreCheck: whether the image belongs to the stubdomain image that is installed.
 * @vm: locked, with its live definition and the identity of that image
 *
 * Returns 0, or -1 with an error reported.
 */
int stubdomRestoreCheck(const StubdomDriver *driver, const virDomainObj *vm, const StubdomRestore *restore);

/**
 * stubdomRestoreGuest: has libxl make the guest, paused, and checks that all it was made of is as it was saved.
 * @vm: locked, with a job of the caller's; unlocked meanwhile
 * @config: of the guest
 * @domid: set to the guest's, also on failure if there is one
 * @cause: set to libxl's words on failure, to be freed with g_free(); NULL if the cause is another one, which is
 *         reported
 *
 * Returns 0, or -1 and the guest is to be destroyed, if there is one.
 */
int stubdomRestoreGuest(StubdomDriver *driver, virDomainObj *vm, libxl_domain_config *config,
                        const StubdomRestore *restore, uint32_t *domid, char **cause);

/**
 * stubdomRestoreCommit: the guest is complete, and about to run: its managed image is not to be used a second time.
 * @vm: locked
 *
 * That image gets another name until the guest runs (stubdomRestoreCommitted()), or until it turns out that it cannot
 * (stubdomRestoreUndo()).
 *
 * Returns 0; or -1 with an error reported, and the image is as it was.
 */
int stubdomRestoreCommit(const StubdomDriver *driver, virDomainObj *vm, const StubdomRestore *restore);
void stubdomRestoreUndo(const StubdomDriver *driver, virDomainObj *vm, const StubdomRestore *restore);
void stubdomRestoreCommitted(const StubdomDriver *driver, virDomainObj *vm);

/**
 * stubdomRestoreRecover: ends what a libvirtd that was killed had begun to restore.
 * @vm: locked, active, with a job of the caller's; unlocked meanwhile
 *
 * A guest whose managed image is still there has not run, and is destroyed; otherwise it goes on from here.
 */
void stubdomRestoreRecover(StubdomDriver *driver, virDomainObj *vm);
