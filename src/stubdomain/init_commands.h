/*
 * The stubdomain's side of the device-model command protocol
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Takes `command` and `logdirty/cmd` out of xenstore, has QEMU do what they
 * say, and answers through `parameter` and `state`, or `logdirty/ret`. The
 * order is that of a real ioemu-stubdom: the command's node is removed before
 * anything is done, `parameter` is written before `state`. What differs is
 * deliberate: a command that failed has no success written for it, words match
 * exactly, and the next command waits in xenstore until this one is answered.
 */

#pragma once

#include <glib.h>

#include "init_qmp.h"
#include "init_uevent.h"
#include "init_xenstore.h"

typedef struct InitCommands InitCommands;

/* Console 1 (stubdom.txt). */
#define INIT_SAVE_CONSOLE "/dev/hvc1"

/**
 * initCommandsNew:
 * @store: xenstore, must outlive this
 * @uevents: uevents, must outlive this
 * @qmp: QEMU, which is running, must outlive this
 * @guest: domain id of the guest
 * @seconds: deadline for devices to appear
 * @ejectSeconds: deadline for the guest to let go of one
 * @saveConsole: terminal that leads to where device state goes, such as INIT_SAVE_CONSOLE
 * @error: where to store INIT_ERROR_XENSTORE
 *
 * Writes `state` = running and starts to serve commands.
 *
 * Returns: (transfer full): free with initCommandsFree(), or NULL
 */
InitCommands *initCommandsNew(InitXenstore *store, InitUevents *uevents, InitQmp *qmp, guint guest, guint seconds,
                              guint ejectSeconds, const char *saveConsole, GError **error);

/** Frees @commands, which may be NULL and have no command under way. */
void initCommandsFree(InitCommands *commands);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(InitCommands, initCommandsFree)

/** Tells of QEMU's event @name. */
void initCommandsEvent(InitCommands *commands, const char *name, JsonNode *value);
