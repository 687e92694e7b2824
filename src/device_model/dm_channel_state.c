/*
 * The command channel to a stubdomain: its state machine
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A command starts from one state and ends in another, so an answer is always
 * a change and a stale value never one. Anything that is neither the value
 * before nor an answer is misbehaviour and ends the command.
 */

#include "config.h"

#include "dm_channel_state.h"

#include <string.h>

#include <glib/gi18n-lib.h>

#include "dm_error.h"

void
dmMachineInit(DmChannelMachine *machine)
{
    memset(machine, 0, sizeof(*machine));
    machine->phase = DM_CHANNEL_STARTING;
    machine->command = STUBDOM_COMMAND_LAST;
}

static void
setText(DmChannelMachine *machine, DmValue value)
{
    g_autofree char *text = stubdomTextSanitize(value.data ? value.data : "", value.length, STUBDOM_VALUE_MAX);

    g_strlcpy(machine->text, text, sizeof(machine->text));
}

static gboolean
checkPhase(const DmChannelMachine *machine, GError **error)
{
    switch (machine->phase) {
    case DM_CHANNEL_IDLE:
        return TRUE;
    case DM_CHANNEL_STARTING:
        g_set_error(error, DM_ERROR, DM_ERROR_BUSY, _("the stubdomain is not up yet"));
        return FALSE;
    case DM_CHANNEL_WAITING:
    case DM_CHANNEL_BROKEN:
        g_set_error(error, DM_ERROR, DM_ERROR_BUSY, _("the stubdomain has not answered '%s' yet"),
                    stubdomCommandInfo(machine->command)->word);
        return FALSE;
    case DM_CHANNEL_DEAD:
        break;
    }
    g_set_error(error, DM_ERROR, DM_ERROR_DEAD, _("the stubdomain is gone"));
    return FALSE;
}

gboolean
dmMachineBegin(DmChannelMachine *machine, StubdomCommand command, const char *parameter, DmValue state, GError **error)
{
    const StubdomCommandInfo *info = stubdomCommandInfo(command);
    StubdomState now = stubdomStateParse(state.data, state.length);

    if (!checkPhase(machine, error)) {
        return FALSE;
    }
    if (info->hasParameter != (parameter != NULL) || (parameter && strlen(parameter) >= STUBDOM_PARAMETER_MAX)) {
        g_set_error(error, DM_ERROR, DM_ERROR_ARGUMENT, _("command '%s' cannot have the parameter '%s'"), info->word,
                    parameter ? parameter : "");
        return FALSE;
    }
    if (!info->logdirty && now != info->before) {
        g_autofree char *shown = stubdomTextSanitize(state.data ? state.data : "", state.length, STUBDOM_VALUE_MAX);

        g_set_error(error, DM_ERROR, DM_ERROR_BUSY,
                    _("command '%s' needs a stubdomain in state '%s', but its state is '%s'"), info->word,
                    stubdomStateName(info->before), shown);
        return FALSE;
    }
    machine->phase = DM_CHANNEL_WAITING;
    machine->command = command;
    g_strlcpy(machine->parameter, parameter ? parameter : "", sizeof(machine->parameter));
    machine->acknowledge = FALSE;
    return TRUE;
}

/* The command is over; @phase comes next. */
static DmVerdict
conclude(DmChannelMachine *machine, DmVerdict verdict, DmValue text)
{
    setText(machine, text);
    machine->phase = DM_CHANNEL_IDLE;
    return verdict;
}

static DmVerdict
observeStart(DmChannelMachine *machine, DmValue state)
{
    switch (stubdomStateParse(state.data, state.length)) {
    case STUBDOM_STATE_NONE:
        return DM_VERDICT_NOTHING;
    case STUBDOM_STATE_RUNNING:
        return conclude(machine, DM_VERDICT_DONE, state);
    default:
        if (state.length == 0) {
            return DM_VERDICT_NOTHING; /* a node just made */
        }
        setText(machine, state);
        return DM_VERDICT_MISBEHAVED;
    }
}

static DmVerdict
observeLogdirty(DmChannelMachine *machine, DmValue ret)
{
    const char *word = stubdomCommandInfo(machine->command)->word;

    if (!ret.data || ret.length == 0) {
        return DM_VERDICT_NOTHING;
    }
    if (ret.length == strlen(word) && memcmp(ret.data, word, ret.length) == 0) {
        return conclude(machine, DM_VERDICT_DONE, ret);
    }
    return conclude(machine, DM_VERDICT_MISBEHAVED, ret);
}

static gboolean
equalsParameter(const DmChannelMachine *machine, DmValue parameter)
{
    return parameter.length == strlen(machine->parameter) &&
           memcmp(parameter.data, machine->parameter, parameter.length) == 0;
}

/* MiniOS says in `parameter` why it failed and leaves `state`; a slot there means that success is about to follow. */
static DmVerdict
observeParameter(DmChannelMachine *machine, DmValue parameter)
{
    guint8 devfn;

    if (!parameter.data || equalsParameter(machine, parameter) ||
        stubdomVirtualSlotParse(parameter.data, parameter.length, &devfn)) {
        return DM_VERDICT_NOTHING;
    }
    return conclude(machine, DM_VERDICT_REFUSED, parameter);
}

static DmVerdict
observeAnswer(DmChannelMachine *machine, DmValue state, DmValue parameter)
{
    const StubdomCommandInfo *info = stubdomCommandInfo(machine->command);
    StubdomState now = stubdomStateParse(state.data, state.length);

    if (now == STUBDOM_STATE_NONE) {
        return DM_VERDICT_NOTHING;
    }
    if (now == info->before) {
        return info->failsByParameter ? observeParameter(machine, parameter) : DM_VERDICT_NOTHING;
    }
    machine->acknowledge = info->acknowledge || (info->failure != STUBDOM_STATE_NONE && now == info->failure);
    if (now == info->success) {
        if (machine->command == STUBDOM_COMMAND_PCI_INSERT &&
            !stubdomVirtualSlotParse(parameter.data, parameter.length, &machine->devfn)) {
            return conclude(machine, DM_VERDICT_MISBEHAVED, parameter);
        }
        return conclude(machine, DM_VERDICT_DONE, state);
    }
    if (info->failure != STUBDOM_STATE_NONE && now == info->failure) {
        return conclude(machine, DM_VERDICT_REFUSED, state);
    }
    return conclude(machine, DM_VERDICT_MISBEHAVED, state);
}

static DmVerdict
observeBroken(DmChannelMachine *machine, DmValue state, DmValue parameter, DmValue ret)
{
    const StubdomCommandInfo *info = stubdomCommandInfo(machine->command);
    DmVerdict verdict = info->logdirty ? observeLogdirty(machine, ret) : observeAnswer(machine, state, parameter);

    return verdict == DM_VERDICT_NOTHING ? verdict : DM_VERDICT_LATE;
}

DmVerdict
dmMachineObserve(DmChannelMachine *machine, DmValue state, DmValue parameter, DmValue logdirtyRet)
{
    machine->acknowledge = FALSE;
    switch (machine->phase) {
    case DM_CHANNEL_STARTING:
        return observeStart(machine, state);
    case DM_CHANNEL_WAITING:
        if (stubdomCommandInfo(machine->command)->logdirty) {
            return observeLogdirty(machine, logdirtyRet);
        }
        return observeAnswer(machine, state, parameter);
    case DM_CHANNEL_BROKEN:
        return observeBroken(machine, state, parameter, logdirtyRet);
    case DM_CHANNEL_IDLE:
    case DM_CHANNEL_DEAD:
        break;
    }
    return DM_VERDICT_NOTHING;
}

void
dmMachineAdopt(DmChannelMachine *machine, StubdomCommand command)
{
    machine->phase = command == STUBDOM_COMMAND_LAST ? DM_CHANNEL_IDLE : DM_CHANNEL_BROKEN;
    machine->command = command;
    machine->parameter[0] = '\0';
}

void
dmMachineExpire(DmChannelMachine *machine)
{
    if (machine->phase == DM_CHANNEL_WAITING) {
        machine->phase = DM_CHANNEL_BROKEN;
    } else if (machine->phase == DM_CHANNEL_STARTING) {
        machine->phase = DM_CHANNEL_DEAD;
    }
}

void
dmMachineDie(DmChannelMachine *machine)
{
    machine->phase = DM_CHANNEL_DEAD;
}
