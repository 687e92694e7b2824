/*
 * The command channel to a stubdomain
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Sends commands through xenstore and waits for their answers on the main
 * loop: one at a time, the others queued, each ended by an answer, a deadline
 * or the stubdomain's death, whichever comes first. What the answers mean is
 * decided by dm_channel_state.c; this file only moves words.
 */

#pragma once

#include <glib.h>

#include "dm_channel_state.h"
#include "dm_store.h"

typedef struct _DmChannel DmChannel;

/* Commands waiting for their turn. */
#define DM_CHANNEL_QUEUE_MAX 64U

/*
 * @error: NULL on success, else (transfer none) DM_ERROR_REFUSED (the
 * stubdomain said no), _STUBDOMAIN (it said something else), _TIMEOUT, _DEAD,
 * _BUSY, _XENSTORE or _CANCELLED. @devfn: of a successful pci-ins.
 */
typedef void (*DmChannelFunc)(const GError *error, guint8 devfn, gpointer opaque);

/* What the stubdomain has not answered yet, STUBDOM_COMMAND_LAST: nothing. */
typedef void (*DmChannelBusyFunc)(StubdomCommand command, gpointer opaque);

/* An answer that came after its deadline; @text: what was written, sanitised. */
typedef void (*DmChannelLateFunc)(StubdomCommand command, const char *parameter, const char *text, gpointer opaque);

/**
 * dmChannelNew:
 * @store: outlives the channel
 *
 * Starts to listen to the stubdomain's words; its directory must exist.
 *
 * Returns: (transfer full): free with dmChannelFree(); NULL with DM_ERROR_XENSTORE
 */
DmChannel *dmChannelNew(DmStore *store, guint stubdomain, guint guest, GError **error);

/** Ends what is queued with DM_ERROR_CANCELLED. NULL is allowed. */
void dmChannelFree(DmChannel *channel);

/**
 * dmChannelAwaitReady:
 * @timeout: milliseconds
 *
 * Waits for the first `running`. @func is called once.
 */
void dmChannelAwaitReady(DmChannel *channel, guint timeout, DmChannelFunc func, gpointer opaque);

/**
 * dmChannelSend:
 * @parameter: (nullable): for commands that have one
 * @timeout: milliseconds from when the command is sent, not from now
 *
 * Queues a command. @func is called once, from the main loop; only when
 * DM_CHANNEL_QUEUE_MAX commands wait already is it called from within this
 * call, with DM_ERROR_BUSY.
 */
void dmChannelSend(DmChannel *channel, StubdomCommand command, const char *parameter, guint timeout, DmChannelFunc func,
                   gpointer opaque);

/** Has @busy told before a command is sent, and when it is answered, be it late. */
void dmChannelOnBusy(DmChannel *channel, DmChannelBusyFunc busy, gpointer opaque);

/**
 * dmChannelAdopt:
 * @command: what another process sent and has no answer to, or STUBDOM_COMMAND_LAST
 *
 * In place of dmChannelAwaitReady(), for a stubdomain that is up: commands can
 * be sent, but not before @command is answered, which counts as a late answer.
 */
void dmChannelAdopt(DmChannel *channel, StubdomCommand command);

/** Has @late told of late answers from now on, in place of who was before. */
void dmChannelSetLate(DmChannel *channel, DmChannelLateFunc late, gpointer opaque);

/** Tells the channel that the stubdomain is gone: everything ends with DM_ERROR_DEAD. @end: how it ended, for the
 * message, or NULL. */
void dmChannelDie(DmChannel *channel, const char *end);

/** What `state` is right now. */
StubdomState dmChannelState(DmChannel *channel);
