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
#include "dm_plan.h"
#include "dm_sockets.h"

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
    guint grace;      /* source: orphaned, or lingering */
    guint signals[3]; /* sources */
    GPtrArray *held;  /* of DmQmpRequest: query-status before we are up */
    DmPci *pci;
    DmCommandsSave *save;
    DmDisplay *display; /* or NULL */
    DmCommandsDisplay *displayCommands;
    gboolean continued;
    gboolean abandoned; /* we end under a running guest, which is to be reported as crashed */
    char *orphanReason; /* how the stubdomain ended */
};
