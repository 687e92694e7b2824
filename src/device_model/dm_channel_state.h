/*
 * The command channel to a stubdomain: its state machine
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Decides what the words a stubdomain writes mean at the moment they are seen.
 * It does no I/O, has no clock and no memory of its own beyond this struct, so
 * every order of events can be tried in a unit test and by the fuzzer.
 * dm_channel.c drives it.
 */

#pragma once

#include <glib.h>

#include "protocol/stubdom_command.h"

typedef enum {
    DM_CHANNEL_STARTING, /* nothing was heard yet */
    DM_CHANNEL_IDLE,
    DM_CHANNEL_WAITING, /* a command is out */
    DM_CHANNEL_BROKEN,  /* a deadline passed; the answer may still come */
    DM_CHANNEL_DEAD,    /* the stubdomain is gone */
} DmChannelPhase;

/* What an observation means. */
typedef enum {
    DM_VERDICT_NOTHING,    /* no news */
    DM_VERDICT_DONE,       /* up, or the command succeeded */
    DM_VERDICT_REFUSED,    /* the command failed, in the protocol's words */
    DM_VERDICT_MISBEHAVED, /* what the stubdomain wrote is no answer to this */
    DM_VERDICT_LATE,       /* the answer to a command given up before */
} DmVerdict;

/* Bytes of a xenstore node; data is NULL if the node does not exist. */
typedef struct {
    const char *data;
    gsize length;
} DmValue;

/* Main loop only. */
typedef struct {
    DmChannelPhase phase;
    StubdomCommand command;                /* WAITING, BROKEN: which */
    char parameter[STUBDOM_PARAMETER_MAX]; /* what was written with it */
    guint8 devfn;                          /* after DONE of pci-ins: the virtual slot and function */
    gboolean acknowledge;                  /* after an observation: "running" is to be written back */
    char text[STUBDOM_VALUE_MAX * 4 + 8];  /* after REFUSED, MISBEHAVED or LATE: what was written, sanitised */
} DmChannelMachine;

void dmMachineInit(DmChannelMachine *machine);

/**
 * dmMachineBegin:
 * @state: what `state` is now
 * @parameter: (nullable): for commands that have one
 *
 * Whether @command may be sent now (rule 2), and if so, that it is.
 *
 * Returns: FALSE with DM_ERROR_BUSY, DM_ERROR_DEAD or DM_ERROR_ARGUMENT
 */
gboolean dmMachineBegin(DmChannelMachine *machine, StubdomCommand command, const char *parameter, DmValue state,
                        GError **error);

/**
 * dmMachineAdopt:
 * @command: what was sent and not answered, or STUBDOM_COMMAND_LAST
 *
 * The stubdomain is up, and somebody else spoke to it until now. An answer to
 * @command is one that comes after its deadline.
 */
void dmMachineAdopt(DmChannelMachine *machine, StubdomCommand command);

/**
 * What the three nodes mean now. After DONE, REFUSED, MISBEHAVED and LATE the
 * command is over; a stubdomain that misbehaves while it starts stays in
 * DM_CHANNEL_STARTING, in which nothing can be sent.
 */
DmVerdict dmMachineObserve(DmChannelMachine *machine, DmValue state, DmValue parameter, DmValue logdirtyRet);

/** The deadline of start or command has passed. */
void dmMachineExpire(DmChannelMachine *machine);

/** The stubdomain is gone; nothing is sent from then on. */
void dmMachineDie(DmChannelMachine *machine);
