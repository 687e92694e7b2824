/*
 * A stubdomain: made, connected, started, ended
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Turns a plan into a running domain, as a sequence of steps each of which can
 * be undone (stubdom.txt, "Setup" and "Startup"), and owns what belongs to it:
 * consoles, log, serial ports, command channel. It decides nothing about the
 * guest.
 */

#pragma once

#include <glib.h>

#include "dm_channel.h"
#include "dm_libxl.h"
#include "dm_options.h"
#include "dm_plan.h"
#include "dm_store.h"
#include "dm_terminals.h"

typedef struct _DmStubdomain DmStubdomain;

/* @error: NULL when the stubdomain is up; else why not, and nothing of it is left. */
typedef void (*DmStubdomainFunc)(DmStubdomain *stubdomain, const GError *error, gpointer opaque);

/* Told of each domain that exists from now on (its domid), so that somebody else can clean up after us; 0: it is gone.
 */
typedef void (*DmStubdomainRecordFunc)(guint domid, gpointer opaque);

/**
 * dmStubdomainNew:
 * @options, @plan, @libxl, @store: (transfer none): outlive the stubdomain
 * @uuid: of the guest
 * @record: (nullable)
 *
 * Makes nothing yet.
 */
DmStubdomain *dmStubdomainNew(DmLibxl *libxl, DmStore *store, const DmOptions *options, const DmPlan *plan,
                              const char *guestName, const char *uuid, DmStubdomainRecordFunc record, gpointer opaque);
void dmStubdomainFree(DmStubdomain *stubdomain);

/**
 * dmStubdomainStart:
 * @deadline: monotonic time in microseconds when it must be up
 *
 * Runs the steps. @func is called once from the main loop.
 */
void dmStubdomainStart(DmStubdomain *stubdomain, gint64 deadline, DmStubdomainFunc func, gpointer opaque);

/**
 * dmStubdomainStop:
 * @reason: (transfer full): why, for the log
 *
 * Destroys it, in any state, also while it starts. @func is called once when
 * nothing is left of it (in place of the one of dmStubdomainStart(), if that
 * was not called yet).
 */
void dmStubdomainStop(DmStubdomain *stubdomain, GError *reason, DmStubdomainFunc func, gpointer opaque);

/**
 * dmStubdomainHandOver:
 *
 * To be called when it is up: tells libxl of it and that the device model is
 * ready (dmTargetUp()). From now on libxl destroys it with the guest, unless it
 * is stopped before.
 */
gboolean dmStubdomainHandOver(DmStubdomain *stubdomain, GError **error);

/**
 * dmStubdomainReleased:
 *
 * To be called on every @releaseDomain. While it starts, a stubdomain that is
 * gone ends the start; later the caller is told.
 *
 * Returns: (transfer full): NULL while it lives, else how it ended, for messages
 */
char *dmStubdomainReleased(DmStubdomain *stubdomain, gboolean *byItself);

/** Its domid, 0 if it does not exist. */
guint dmStubdomainDomid(const DmStubdomain *stubdomain);

/** (nullable) (transfer none): its command channel */
DmChannel *dmStubdomainChannel(DmStubdomain *stubdomain);

/** The last lines of its console 0; (transfer full). */
char *dmStubdomainLastWords(DmStubdomain *stubdomain);

/** (nullable) (transfer none): its consoles, while it exists */
DmTerminals *dmStubdomainTerminals(DmStubdomain *stubdomain);

/** How long each step of the start took, for people; (transfer full). */
char *dmStubdomainTimes(const DmStubdomain *stubdomain);
