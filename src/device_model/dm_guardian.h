/*
 * The guardian: cleans up when xen-stubdom-dm cannot
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A second process, forked before anything else is opened, that does nothing
 * but wait. When xen-stubdom-dm ends without saying goodbye (SIGKILL, which
 * libxl sends after its own time-out, or a crash), it destroys a stubdomain
 * that was not up yet, or takes care of a guest that was until its end
 * (dm_caretaker.h), and removes what is left. libxl does not: it takes the
 * stubdomain for its own and the device model for one in it.
 */

#pragma once

#include <glib.h>

#include "protocol/stubdom_command.h"

typedef struct _DmGuardian DmGuardian;

/**
 * dmGuardianFork:
 * @guest: domid of the guest
 * @runDirectory: removed, with the sockets in it, when the guest is gone
 * @files: sockets elsewhere that are removed too; ends with NULL
 *
 * To be called while the process has one thread and no connections.
 *
 * Returns: (transfer full): free with dmGuardianRelease(); NULL with DM_ERROR_SYSTEM
 */
DmGuardian *dmGuardianFork(guint guest, const char *runDirectory, const char *const *files, GError **error);

/** Tells @guardian, a DmGuardian, of the stubdomain; 0: there is none (any more). A DmStubdomainRecordFunc. */
void dmGuardianSetStubdomain(guint stubdomain, gpointer guardian);

/**
 * dmGuardianSetUp:
 * @listener: (transfer none): libxl's QMP socket, or -1
 * @worker: (transfer none): the console worker's socket, or -1
 *
 * Tells it that the guest is up: from now on it outlives us.
 */
void dmGuardianSetUp(DmGuardian *guardian, int listener, int worker);

/** Tells @guardian, a DmGuardian, what the stubdomain was told and has not answered yet: a DmChannelBusyFunc. */
void dmGuardianSetPending(StubdomCommand command, gpointer guardian);

/** Tells it that we destroy the stubdomain under its guest, which is then to be reported as crashed. */
void dmGuardianSetAbandoned(DmGuardian *guardian);

/** Everything is clean: the guardian ends. NULL is allowed. */
void dmGuardianRelease(DmGuardian *guardian);

/**
 * dmGuardianRemoveDirectory:
 *
 * Removes the sockets in @runDirectory and the directory itself; used by the
 * process proper at its orderly end, too.
 */
void dmGuardianRemoveDirectory(const char *runDirectory);
