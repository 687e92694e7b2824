/*
 * The device model of one guest: what it consists of
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * For dm_model.c, which makes and ends all of it, and dm_model_parts.c, which
 * lets the commands at it.
 */

#pragma once

#include "dm_guardian.h"
#include "dm_model.h"
#include "dm_orphan.h"
#include "dm_plan.h"
#include "dm_sockets.h"

/* How many signals end us. */
#define MODEL_SIGNALS 3

/* One of those that end us. */
typedef struct {
    DmModel *model;
    int number;
    guint source;
} ModelSignal;

/* All members: main loop only. */
struct _DmModel {
    const DmOptions *options;
    DmModelPhase phase;
    GMainLoop *loop;
    int status;
    char *runDirectory;
    DmGuardian *guardian;
    DmStore *store;
    DmLibxl *libxl;
    DmGuest *guest;
    DmImage *image;
    DmPlan *plan;
    DmStubdomain *stubdomain;
    DmCdroms *cdroms;
    DmSockets *sockets;
    DmStoreWatch *release;
    DmOrphan *orphan; /* from the stubdomain's death under its guest on */
    guint grace;      /* source: lingering */
    ModelSignal signals[MODEL_SIGNALS];
    GPtrArray *held; /* of DmQmpRequest: query-status before we are up */
    DmPci *pci;
    DmCommandsSave *save;
    DmDisplay *display; /* or NULL */
    DmCommandsDisplay *displayCommands;
    gboolean continued;
    gboolean abandoned; /* we end before the guest, which is then ended too */
    int deferred;       /* a signal that is acted on when the save under way is over, or 0 */
};
