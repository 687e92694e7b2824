/*
 * Fuzz target: the command channel's state machine
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The input is a list of events: what the three nodes hold when they are
 * looked at (words of the protocol or any bytes), commands begun, deadlines,
 * the stubdomain's death. After each the machine is held against what must be
 * true in every order of events.
 */

#include <stdint.h>
#include <string.h>

#include "device_model/dm_channel_state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct {
    const uint8_t *data;
    size_t size;
} Input;

static uint8_t
takeByte(Input *input)
{
    if (input->size == 0) {
        return 0;
    }
    input->size--;
    return *input->data++;
}

/* A node's value: absent, a word that means something, or so many bytes of the input. */
static DmValue
takeValue(Input *input, char **copy)
{
    static const char *const words[] = {"running",        "paused",
                                        "pci-inserted",   "pci-insert-failed",
                                        "pci-removed",    "pci-remove-failed",
                                        "0x20",           "no free hotplug devfn",
                                        "enable",         "disable",
                                        "0000:00:01.0",   "",
                                        "cpu-added",      "cpu-add-failed",
                                        "cdrom-ejected",  "cdrom-eject-failed",
                                        "cdrom-inserted", "cdrom-insert-failed",
                                        "save-failed"};
    uint8_t kind = takeByte(input);
    size_t length;

    if (kind < 16) {
        return (DmValue){NULL, 0};
    }
    if (kind < 128) {
        const char *word = words[kind % G_N_ELEMENTS(words)];

        *copy = g_memdup2(word, strlen(word) + 1);
        return (DmValue){*copy, strlen(word)};
    }
    length = MIN((size_t)(kind - 128), input->size);
    /* exactly so long, that a byte too far is seen */
    *copy = g_malloc(length ? length : 1);
    memcpy(*copy, input->data, length);
    input->data += length;
    input->size -= length;
    return (DmValue){*copy, length};
}

static void
checkText(const DmChannelMachine *machine)
{
    size_t length = strnlen(machine->text, sizeof(machine->text));

    g_assert_cmpuint(length, <, sizeof(machine->text));
    for (size_t i = 0; i < length; i++) {
        g_assert_true(g_ascii_isprint(machine->text[i]));
    }
    g_assert_cmpuint(strnlen(machine->parameter, sizeof(machine->parameter)), <, sizeof(machine->parameter));
}

/* A success is the exact word of the command, and never the state it started from. */
static void
checkDone(const DmChannelMachine *before, DmValue state, DmValue parameter, DmValue ret)
{
    const StubdomCommandInfo *info;
    guint8 devfn;

    if (before->phase == DM_CHANNEL_STARTING) {
        g_assert_cmpint(stubdomStateParse(state.data, state.length), ==, STUBDOM_STATE_RUNNING);
        return;
    }
    g_assert_cmpint(before->phase, ==, DM_CHANNEL_WAITING);
    info = stubdomCommandInfo(before->command);
    if (info->logdirty) {
        g_assert_cmpmem(ret.data, ret.length, info->word, strlen(info->word));
        return;
    }
    g_assert_cmpint(stubdomStateParse(state.data, state.length), ==, info->success);
    g_assert_cmpint(info->success, !=, info->before);
    if (before->command == STUBDOM_COMMAND_PCI_INSERT) {
        g_assert_true(stubdomVirtualSlotParse(parameter.data, parameter.length, &devfn));
    }
}

static void
observe(DmChannelMachine *machine, Input *input)
{
    DmChannelMachine before = *machine;
    g_autofree char *stateCopy = NULL;
    g_autofree char *parameterCopy = NULL;
    g_autofree char *retCopy = NULL;
    DmValue state = takeValue(input, &stateCopy);
    DmValue parameter = takeValue(input, &parameterCopy);
    DmValue ret = takeValue(input, &retCopy);
    DmVerdict verdict = dmMachineObserve(machine, state, parameter, ret);

    switch (verdict) {
    case DM_VERDICT_NOTHING:
        g_assert_cmpint(machine->phase, ==, before.phase);
        g_assert_false(machine->acknowledge);
        break;
    case DM_VERDICT_DONE:
        checkDone(&before, state, parameter, ret);
        g_assert_cmpint(machine->phase, ==, DM_CHANNEL_IDLE);
        break;
    case DM_VERDICT_REFUSED:
        g_assert_cmpint(before.phase, ==, DM_CHANNEL_WAITING);
        g_assert_cmpint(machine->phase, ==, DM_CHANNEL_IDLE);
        break;
    case DM_VERDICT_MISBEHAVED:
        g_assert_true(before.phase == DM_CHANNEL_WAITING || before.phase == DM_CHANNEL_STARTING);
        g_assert_cmpint(machine->phase, ==, before.phase == DM_CHANNEL_WAITING ? DM_CHANNEL_IDLE : DM_CHANNEL_STARTING);
        break;
    case DM_VERDICT_LATE:
        g_assert_cmpint(before.phase, ==, DM_CHANNEL_BROKEN);
        g_assert_cmpint(machine->phase, ==, DM_CHANNEL_IDLE);
        break;
    default:
        g_assert_not_reached();
    }
    if (before.phase == DM_CHANNEL_IDLE || before.phase == DM_CHANNEL_DEAD) {
        g_assert_cmpint(verdict, ==, DM_VERDICT_NOTHING);
    }
    if (machine->acknowledge) {
        g_assert_true(stubdomCommandInfo(before.command)->acknowledge);
        g_assert_cmpint(stubdomStateParse(state.data, state.length), !=, STUBDOM_STATE_RUNNING);
    }
    g_assert_cmpstr(machine->parameter, ==, before.parameter);
}

static void
begin(DmChannelMachine *machine, Input *input)
{
    DmChannelMachine before = *machine;
    StubdomCommand command = (StubdomCommand)(takeByte(input) % STUBDOM_COMMAND_LAST);
    const StubdomCommandInfo *info = stubdomCommandInfo(command);
    g_autofree char *stateCopy = NULL;
    g_autofree char *parameterCopy = NULL;
    g_autofree char *parameterText = NULL;
    g_autoptr(GError) error = NULL;
    DmValue state = takeValue(input, &stateCopy);
    DmValue parameter = takeValue(input, &parameterCopy);

    if (parameter.data) {
        parameterText = g_strndup(parameter.data, parameter.length);
    }
    if (!dmMachineBegin(machine, command, parameterText, state, &error)) {
        g_assert_nonnull(error);
        g_assert_true(g_utf8_validate(error->message, -1, NULL) || parameterText);
        g_assert_cmpmem(machine, sizeof(*machine), &before, sizeof(before));
        return;
    }
    g_assert_null(error);
    g_assert_cmpint(before.phase, ==, DM_CHANNEL_IDLE);
    g_assert_cmpint(machine->phase, ==, DM_CHANNEL_WAITING);
    g_assert_true(info->logdirty || stubdomStateParse(state.data, state.length) == info->before);
    g_assert_cmpint(info->hasParameter, ==, parameterText != NULL);
    g_assert_cmpstr(machine->parameter, ==, parameterText ? parameterText : "");
    /* What was seen at the start is no answer, or a stale value would count. */
    if (!info->logdirty) {
        DmChannelMachine copy = *machine;
        DmValue written = {machine->parameter, strlen(machine->parameter)};

        g_assert_cmpint(dmMachineObserve(&copy, state, written, (DmValue){NULL, 0}), ==, DM_VERDICT_NOTHING);
    }
}

static void
expire(DmChannelMachine *machine)
{
    DmChannelPhase before = machine->phase;

    dmMachineExpire(machine);
    switch (before) {
    case DM_CHANNEL_STARTING:
    case DM_CHANNEL_DEAD:
        g_assert_cmpint(machine->phase, ==, DM_CHANNEL_DEAD);
        break;
    case DM_CHANNEL_WAITING:
    case DM_CHANNEL_BROKEN:
        g_assert_cmpint(machine->phase, ==, DM_CHANNEL_BROKEN);
        break;
    case DM_CHANNEL_IDLE:
        g_assert_cmpint(machine->phase, ==, DM_CHANNEL_IDLE);
        break;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Input input = {data, size};
    DmChannelMachine machine;
    gboolean dead = FALSE;

    dmMachineInit(&machine);
    while (input.size > 0) {
        uint8_t event = takeByte(&input);

        if (event < 128) {
            observe(&machine, &input);
        } else if (event < 224) {
            begin(&machine, &input);
        } else if (event < 248) {
            expire(&machine);
        } else {
            dmMachineDie(&machine);
        }
        checkText(&machine);
        g_assert_false(dead && machine.phase != DM_CHANNEL_DEAD);
        dead = machine.phase == DM_CHANNEL_DEAD;
    }
    return 0;
}
