/*
 * Unit tests of the command channel's state machine
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The rules of the toolstack's side of the protocol, each with the words a
 * stubdomain may write, and those it must not.
 */

#include <string.h>

#include "dm_channel_state.h"
#include "dm_error.h"

#define NOTHING ((DmValue){NULL, 0})
#define TEXT(s) ((DmValue){(s), strlen(s)})
#define BYTES(s) ((DmValue){(s), sizeof(s) - 1})
#define SLOT_PARAMETER "0000:03:00.0,msitranslate=0,power_mgmt=0"

static const char longWord[] = "running-running-running-running-running-running-running-running-r";

/* Values of `state` that are no word of the protocol. */
static const DmValue garbage[] = {
    {"", 0},       {"Running", 7},   {"running ", 8},  {"running\n", 8},
    {"runnin", 6}, {"running\0", 8}, {"\0running", 8}, {"paused\0x", 8},
    {"%s%n", 4},   {"\xff\xfe", 2},  {"usb-added", 9}, {longWord, sizeof(longWord) - 1},
};

static const StubdomCommand stateCommands[] = {
    STUBDOM_COMMAND_SAVE,
    STUBDOM_COMMAND_CONTINUE,
    STUBDOM_COMMAND_PCI_INSERT,
    STUBDOM_COMMAND_PCI_REMOVE,
};
static const StubdomCommand logdirtyCommands[] = {
    STUBDOM_COMMAND_LOGDIRTY_ENABLE,
    STUBDOM_COMMAND_LOGDIRTY_DISABLE,
};

static DmVerdict
observeState(DmChannelMachine *machine, const char *state)
{
    return dmMachineObserve(machine, state ? TEXT(state) : NOTHING, NOTHING, NOTHING);
}

static DmVerdict
observeParameter(DmChannelMachine *machine, const char *state, const char *parameter)
{
    return dmMachineObserve(machine, TEXT(state), TEXT(parameter), NOTHING);
}

static DmVerdict
observeRet(DmChannelMachine *machine, const char *ret)
{
    return dmMachineObserve(machine, TEXT("running"), NOTHING, ret ? TEXT(ret) : NOTHING);
}

static void
initIdle(DmChannelMachine *machine)
{
    dmMachineInit(machine);
    g_assert_cmpint(observeState(machine, "running"), ==, DM_VERDICT_DONE);
    g_assert_cmpint(machine->phase, ==, DM_CHANNEL_IDLE);
}

static const char *
wordBefore(StubdomCommand command)
{
    return stubdomStateName(stubdomCommandInfo(command)->before);
}

/* A machine that waits for the answer to @command. */
static void
initWaiting(DmChannelMachine *machine, StubdomCommand command)
{
    const StubdomCommandInfo *info = stubdomCommandInfo(command);
    g_autoptr(GError) error = NULL;
    gboolean begun;

    initIdle(machine);
    begun = dmMachineBegin(machine, command, info->hasParameter ? SLOT_PARAMETER : NULL,
                           info->logdirty ? NOTHING : TEXT(wordBefore(command)), &error);
    g_assert_no_error(error);
    g_assert_true(begun);
    g_assert_cmpint(machine->phase, ==, DM_CHANNEL_WAITING);
    g_assert_cmpint(machine->command, ==, command);
    g_assert_false(machine->acknowledge);
}

static void
assertRefused(DmChannelMachine *machine, StubdomCommand command, const char *parameter, DmValue state, int code)
{
    DmChannelPhase phase = machine->phase;
    StubdomCommand before = machine->command;
    g_autoptr(GError) error = NULL;

    g_assert_false(dmMachineBegin(machine, command, parameter, state, &error));
    g_assert_error(error, DM_ERROR, code);
    g_assert_cmpint(machine->phase, ==, phase);
    g_assert_cmpint(machine->command, ==, before);
}

static void
testStart(void)
{
    DmChannelMachine machine;

    dmMachineInit(&machine);
    g_assert_cmpint(machine.phase, ==, DM_CHANNEL_STARTING);
    g_assert_cmpint(observeState(&machine, NULL), ==, DM_VERDICT_NOTHING);
    g_assert_cmpint(observeState(&machine, ""), ==, DM_VERDICT_NOTHING); /* a node just made */
    g_assert_cmpint(machine.phase, ==, DM_CHANNEL_STARTING);
    g_assert_cmpint(observeState(&machine, "running"), ==, DM_VERDICT_DONE);
    g_assert_cmpint(machine.phase, ==, DM_CHANNEL_IDLE);
    g_assert_false(machine.acknowledge);
}

/* Whatever else it says, it has not started; and it is not believed later what it did not say. */
static void
testStartGarbage(void)
{
    static const char *const words[] = {"paused", "pci-inserted", "pci-removed", "pci-insert-failed"};
    DmChannelMachine machine;

    for (gsize i = 0; i < G_N_ELEMENTS(garbage); i++) {
        dmMachineInit(&machine);
        g_assert_cmpint(dmMachineObserve(&machine, garbage[i], NOTHING, NOTHING), ==,
                        garbage[i].length ? DM_VERDICT_MISBEHAVED : DM_VERDICT_NOTHING);
        g_assert_cmpint(machine.phase, !=, DM_CHANNEL_IDLE);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        dmMachineInit(&machine);
        g_assert_cmpint(observeState(&machine, words[i]), ==, DM_VERDICT_MISBEHAVED);
        g_assert_cmpstr(machine.text, ==, words[i]);
        g_assert_cmpint(machine.phase, !=, DM_CHANNEL_IDLE);
    }
}

static void
testStartExpires(void)
{
    DmChannelMachine machine;

    dmMachineInit(&machine);
    dmMachineExpire(&machine);
    g_assert_cmpint(machine.phase, ==, DM_CHANNEL_DEAD);
    g_assert_cmpint(observeState(&machine, "running"), ==, DM_VERDICT_NOTHING);
    g_assert_cmpint(machine.phase, ==, DM_CHANNEL_DEAD);
}

/* The state that was there before is no answer, however often it is seen. */
static void
testStaleValue(void)
{
    DmChannelMachine machine;

    for (gsize i = 0; i < G_N_ELEMENTS(stateCommands); i++) {
        initWaiting(&machine, stateCommands[i]);
        for (guint n = 0; n < 3; n++) {
            g_assert_cmpint(observeState(&machine, wordBefore(stateCommands[i])), ==, DM_VERDICT_NOTHING);
        }
        g_assert_cmpint(observeState(&machine, NULL), ==, DM_VERDICT_NOTHING); /* the node is gone for a moment */
        g_assert_cmpint(machine.phase, ==, DM_CHANNEL_WAITING);
    }
}

static void
testSuccess(void)
{
    DmChannelMachine machine;

    for (gsize i = 0; i < G_N_ELEMENTS(stateCommands); i++) {
        const StubdomCommandInfo *info = stubdomCommandInfo(stateCommands[i]);

        initWaiting(&machine, stateCommands[i]);
        g_assert_cmpint(observeParameter(&machine, stubdomStateName(info->success), "0x20"), ==, DM_VERDICT_DONE);
        g_assert_cmpint(machine.phase, ==, DM_CHANNEL_IDLE);
        g_assert_cmpint(machine.acknowledge, ==, info->acknowledge);
        /* The same word once more is nobody's answer, and is not acknowledged twice. */
        g_assert_cmpint(observeParameter(&machine, stubdomStateName(info->success), "0x20"), ==, DM_VERDICT_NOTHING);
        g_assert_false(machine.acknowledge);
    }
}

/* save and continue leave their state; the two of PCI and every failure are to be acknowledged. */
static void
testAcknowledge(void)
{
    static const struct {
        StubdomCommand command;
        const char *answer;
        DmVerdict verdict;
        gboolean acknowledge;
    } cases[] = {
        {STUBDOM_COMMAND_SAVE, "paused", DM_VERDICT_DONE, FALSE},
        {STUBDOM_COMMAND_SAVE, "save-failed", DM_VERDICT_REFUSED, TRUE},
        {STUBDOM_COMMAND_CONTINUE, "save-failed", DM_VERDICT_MISBEHAVED, FALSE},
        {STUBDOM_COMMAND_CONTINUE, "running", DM_VERDICT_DONE, FALSE},
        {STUBDOM_COMMAND_PCI_INSERT, "pci-inserted", DM_VERDICT_DONE, TRUE},
        {STUBDOM_COMMAND_PCI_INSERT, "pci-insert-failed", DM_VERDICT_REFUSED, TRUE},
        {STUBDOM_COMMAND_PCI_REMOVE, "pci-removed", DM_VERDICT_DONE, TRUE},
        {STUBDOM_COMMAND_PCI_REMOVE, "pci-remove-failed", DM_VERDICT_REFUSED, TRUE},
        {STUBDOM_COMMAND_PCI_REMOVE, "pci-inserted", DM_VERDICT_MISBEHAVED, TRUE},
        {STUBDOM_COMMAND_CDROM_EJECT, "cdrom-ejected", DM_VERDICT_DONE, TRUE},
        {STUBDOM_COMMAND_CDROM_EJECT, "cdrom-eject-failed", DM_VERDICT_REFUSED, TRUE},
        {STUBDOM_COMMAND_CDROM_EJECT, "cdrom-inserted", DM_VERDICT_MISBEHAVED, TRUE},
        {STUBDOM_COMMAND_CDROM_INSERT, "cdrom-inserted", DM_VERDICT_DONE, TRUE},
        {STUBDOM_COMMAND_CDROM_INSERT, "cdrom-insert-failed", DM_VERDICT_REFUSED, TRUE},
        {STUBDOM_COMMAND_CDROM_INSERT, "cdrom-ejected", DM_VERDICT_MISBEHAVED, TRUE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        DmChannelMachine machine;

        initWaiting(&machine, cases[i].command);
        g_assert_cmpint(observeParameter(&machine, cases[i].answer, "0x20"), ==, cases[i].verdict);
        g_assert_cmpint(machine.acknowledge, ==, cases[i].acknowledge);
        g_assert_cmpint(machine.phase, ==, DM_CHANNEL_IDLE);
    }
}

static void
testFailureWord(void)
{
    DmChannelMachine machine;

    initWaiting(&machine, STUBDOM_COMMAND_PCI_INSERT);
    g_assert_cmpint(observeParameter(&machine, "pci-insert-failed", SLOT_PARAMETER), ==, DM_VERDICT_REFUSED);
    g_assert_cmpstr(machine.text, ==, "pci-insert-failed");

    /* Of another command: no answer to this one. */
    initWaiting(&machine, STUBDOM_COMMAND_PCI_REMOVE);
    g_assert_cmpint(observeState(&machine, "pci-insert-failed"), ==, DM_VERDICT_MISBEHAVED);
    initWaiting(&machine, STUBDOM_COMMAND_SAVE);
    g_assert_cmpint(observeState(&machine, "pci-insert-failed"), ==, DM_VERDICT_MISBEHAVED);
}

static void
testGarbage(void)
{
    DmChannelMachine machine;

    for (gsize c = 0; c < G_N_ELEMENTS(stateCommands); c++) {
        for (gsize i = 0; i < G_N_ELEMENTS(garbage); i++) {
            initWaiting(&machine, stateCommands[c]);
            g_assert_cmpint(dmMachineObserve(&machine, garbage[i], TEXT("0x20"), NOTHING), ==, DM_VERDICT_MISBEHAVED);
            g_assert_cmpint(machine.phase, ==, DM_CHANNEL_IDLE);
        }
    }
}

/* What is kept of it can be printed, and is short. */
static void
testText(void)
{
    g_autofree char *huge = g_strnfill(4096, '\x1b');
    DmChannelMachine machine;

    initWaiting(&machine, STUBDOM_COMMAND_SAVE);
    g_assert_cmpint(dmMachineObserve(&machine, BYTES("\x1b[2J\0\\x"), NOTHING, NOTHING), ==, DM_VERDICT_MISBEHAVED);
    g_assert_cmpstr(machine.text, ==, "\\x1b[2J\\x00\\x5cx");

    initWaiting(&machine, STUBDOM_COMMAND_SAVE);
    g_assert_cmpint(dmMachineObserve(&machine, (DmValue){huge, 4096}, NOTHING, NOTHING), ==, DM_VERDICT_MISBEHAVED);
    g_assert_cmpuint(strlen(machine.text), ==, STUBDOM_VALUE_MAX * 4 + 3);
    g_assert_true(g_str_has_suffix(machine.text, "\\x1b..."));
}

static void
testInsertSlot(void)
{
    static const struct {
        const char *parameter;
        guint8 devfn;
    } good[] = {{"0x20", 0x20}, {"0x0", 0}, {"0xff", 0xff}, {"0xFF", 0xff}, {"0x08", 8}};
    static const DmValue bad[] = {
        {NULL, 0},   {"", 0},     {"0x", 2},    {"0x100", 5}, {"20", 2},   {"0x2g", 4}, {"0x20 ", 5},   {" 0x20", 5},
        {"0x-1", 4}, {"0X20", 4}, {"0x2\0", 4}, {"-1", 2},    {"0x+2", 4}, {"0x 2", 4}, {longWord, 65},
    };
    DmChannelMachine machine;

    for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
        initWaiting(&machine, STUBDOM_COMMAND_PCI_INSERT);
        g_assert_cmpint(observeParameter(&machine, "pci-inserted", good[i].parameter), ==, DM_VERDICT_DONE);
        g_assert_cmpuint(machine.devfn, ==, good[i].devfn);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        initWaiting(&machine, STUBDOM_COMMAND_PCI_INSERT);
        g_assert_cmpint(dmMachineObserve(&machine, TEXT("pci-inserted"), bad[i], NOTHING), ==, DM_VERDICT_MISBEHAVED);
        g_assert_cmpint(machine.phase, ==, DM_CHANNEL_IDLE);
        g_assert_true(machine.acknowledge);
    }
    /* The parameter we wrote ourselves is no slot. */
    initWaiting(&machine, STUBDOM_COMMAND_PCI_INSERT);
    g_assert_cmpint(observeParameter(&machine, "pci-inserted", SLOT_PARAMETER), ==, DM_VERDICT_MISBEHAVED);
}

/* MiniOS: state stays "running", parameter gets a text. */
static void
testMiniosFailure(void)
{
    static const char *const texts[] = {"no free hotplug devfn", "wrong bdf or vdevfn", "", "0000:03:00.1"};
    DmChannelMachine machine;

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        initWaiting(&machine, STUBDOM_COMMAND_PCI_INSERT);
        g_assert_cmpint(observeParameter(&machine, "running", SLOT_PARAMETER), ==, DM_VERDICT_NOTHING);
        g_assert_cmpint(observeParameter(&machine, "running", texts[i]), ==, DM_VERDICT_REFUSED);
        g_assert_cmpstr(machine.text, ==, texts[i]);
        g_assert_cmpint(machine.phase, ==, DM_CHANNEL_IDLE);
        g_assert_false(machine.acknowledge); /* the state is "running" already */
    }
    /* Only pci-ins fails that way: MiniOS does not touch the parameter of pci-rem. */
    initWaiting(&machine, STUBDOM_COMMAND_PCI_REMOVE);
    g_assert_cmpint(observeParameter(&machine, "running", "no free hotplug devfn"), ==, DM_VERDICT_NOTHING);
    initWaiting(&machine, STUBDOM_COMMAND_SAVE);
    g_assert_cmpint(observeParameter(&machine, "running", "no free hotplug devfn"), ==, DM_VERDICT_NOTHING);
}

/* MiniOS writes the slot before the state: seen in between it is not a failure. */
static void
testMiniosOrder(void)
{
    DmChannelMachine machine;

    initWaiting(&machine, STUBDOM_COMMAND_PCI_INSERT);
    g_assert_cmpint(observeParameter(&machine, "running", "0x28"), ==, DM_VERDICT_NOTHING);
    g_assert_cmpint(machine.phase, ==, DM_CHANNEL_WAITING);
    g_assert_cmpint(observeParameter(&machine, "pci-inserted", "0x28"), ==, DM_VERDICT_DONE);
    g_assert_cmpuint(machine.devfn, ==, 0x28);
}

static void
testLogdirty(void)
{
    DmChannelMachine machine;

    for (gsize i = 0; i < G_N_ELEMENTS(logdirtyCommands); i++) {
        const char *word = stubdomCommandInfo(logdirtyCommands[i])->word;
        const char *other = stubdomCommandInfo(logdirtyCommands[1 - i])->word;

        initWaiting(&machine, logdirtyCommands[i]);
        g_assert_cmpint(observeRet(&machine, NULL), ==, DM_VERDICT_NOTHING);
        g_assert_cmpint(observeRet(&machine, ""), ==, DM_VERDICT_NOTHING);
        /* state is not part of it */
        g_assert_cmpint(observeState(&machine, "paused"), ==, DM_VERDICT_NOTHING);
        g_assert_cmpint(observeRet(&machine, word), ==, DM_VERDICT_DONE);
        g_assert_cmpint(machine.phase, ==, DM_CHANNEL_IDLE);
        g_assert_false(machine.acknowledge);

        initWaiting(&machine, logdirtyCommands[i]);
        g_assert_cmpint(observeRet(&machine, other), ==, DM_VERDICT_MISBEHAVED);
        initWaiting(&machine, logdirtyCommands[i]);
        g_assert_cmpint(dmMachineObserve(&machine, TEXT("running"), NOTHING, BYTES("enable\0")), ==,
                        DM_VERDICT_MISBEHAVED);
        initWaiting(&machine, logdirtyCommands[i]);
        g_assert_cmpint(observeRet(&machine, longWord), ==, DM_VERDICT_MISBEHAVED);
    }
}

static void
testBeginPhases(void)
{
    DmChannelMachine machine;

    dmMachineInit(&machine);
    assertRefused(&machine, STUBDOM_COMMAND_SAVE, NULL, TEXT("running"), DM_ERROR_BUSY);

    initWaiting(&machine, STUBDOM_COMMAND_SAVE);
    assertRefused(&machine, STUBDOM_COMMAND_SAVE, NULL, TEXT("running"), DM_ERROR_BUSY);
    assertRefused(&machine, STUBDOM_COMMAND_LOGDIRTY_ENABLE, NULL, TEXT("running"), DM_ERROR_BUSY);

    dmMachineExpire(&machine);
    g_assert_cmpint(machine.phase, ==, DM_CHANNEL_BROKEN);
    assertRefused(&machine, STUBDOM_COMMAND_CONTINUE, NULL, TEXT("paused"), DM_ERROR_BUSY);

    dmMachineDie(&machine);
    assertRefused(&machine, STUBDOM_COMMAND_SAVE, NULL, TEXT("running"), DM_ERROR_DEAD);
}

static void
testBeginState(void)
{
    DmChannelMachine machine;

    initIdle(&machine);
    assertRefused(&machine, STUBDOM_COMMAND_SAVE, NULL, TEXT("paused"), DM_ERROR_BUSY);
    assertRefused(&machine, STUBDOM_COMMAND_SAVE, NULL, NOTHING, DM_ERROR_BUSY);
    assertRefused(&machine, STUBDOM_COMMAND_CONTINUE, NULL, TEXT("running"), DM_ERROR_BUSY);
    assertRefused(&machine, STUBDOM_COMMAND_PCI_INSERT, SLOT_PARAMETER, TEXT("pci-inserted"), DM_ERROR_BUSY);
    for (gsize i = 0; i < G_N_ELEMENTS(garbage); i++) {
        assertRefused(&machine, STUBDOM_COMMAND_SAVE, NULL, garbage[i], DM_ERROR_BUSY);
    }
    /* logdirty has nodes of its own and works in any state. */
    g_assert_true(dmMachineBegin(&machine, STUBDOM_COMMAND_LOGDIRTY_ENABLE, NULL, TEXT("paused"), NULL));
}

static void
testBeginParameter(void)
{
    g_autofree char *longest = g_strnfill(STUBDOM_PARAMETER_MAX - 1, 'x');
    g_autofree char *tooLong = g_strnfill(STUBDOM_PARAMETER_MAX, 'x');
    DmChannelMachine machine;

    initIdle(&machine);
    assertRefused(&machine, STUBDOM_COMMAND_PCI_INSERT, NULL, TEXT("running"), DM_ERROR_ARGUMENT);
    assertRefused(&machine, STUBDOM_COMMAND_PCI_REMOVE, NULL, TEXT("running"), DM_ERROR_ARGUMENT);
    assertRefused(&machine, STUBDOM_COMMAND_SAVE, "x", TEXT("running"), DM_ERROR_ARGUMENT);
    assertRefused(&machine, STUBDOM_COMMAND_LOGDIRTY_ENABLE, "x", TEXT("running"), DM_ERROR_ARGUMENT);
    assertRefused(&machine, STUBDOM_COMMAND_PCI_INSERT, tooLong, TEXT("running"), DM_ERROR_ARGUMENT);
    g_assert_true(dmMachineBegin(&machine, STUBDOM_COMMAND_PCI_INSERT, longest, TEXT("running"), NULL));
    g_assert_cmpstr(machine.parameter, ==, longest);
}

/* After a deadline the answer is consumed and called late, whatever it is; then commands are possible again. */
static void
testLate(void)
{
    DmChannelMachine machine;

    for (gsize c = 0; c < G_N_ELEMENTS(stateCommands); c++) {
        const StubdomCommandInfo *info = stubdomCommandInfo(stateCommands[c]);
        const DmValue answers[] = {TEXT(stubdomStateName(info->success)), TEXT(stubdomStateName(info->failure)),
                                   TEXT("garbage")};

        for (gsize i = 0; i < G_N_ELEMENTS(answers); i++) {
            initWaiting(&machine, stateCommands[c]);
            dmMachineExpire(&machine);
            g_assert_cmpint(machine.phase, ==, DM_CHANNEL_BROKEN);
            g_assert_cmpint(observeState(&machine, NULL), ==, DM_VERDICT_NOTHING);
            g_assert_cmpint(observeParameter(&machine, wordBefore(stateCommands[c]), SLOT_PARAMETER), ==,
                            DM_VERDICT_NOTHING);
            dmMachineExpire(&machine);
            g_assert_cmpint(machine.phase, ==, DM_CHANNEL_BROKEN);
            g_assert_cmpint(dmMachineObserve(&machine, answers[i], TEXT("0x20"), NOTHING), ==, DM_VERDICT_LATE);
            g_assert_cmpint(machine.phase, ==, DM_CHANNEL_IDLE);
            g_assert_cmpint(machine.acknowledge, ==,
                            info->acknowledge || (i == 1 && info->failure != STUBDOM_STATE_NONE));
        }
    }
}

static void
testLateMiniosFailure(void)
{
    DmChannelMachine machine;

    initWaiting(&machine, STUBDOM_COMMAND_PCI_INSERT);
    dmMachineExpire(&machine);
    g_assert_cmpint(observeParameter(&machine, "running", "0x28"), ==, DM_VERDICT_NOTHING);
    g_assert_cmpint(observeParameter(&machine, "running", "wrong bdf or vdevfn"), ==, DM_VERDICT_LATE);
    g_assert_cmpstr(machine.text, ==, "wrong bdf or vdevfn");
    g_assert_false(machine.acknowledge);
    g_assert_true(dmMachineBegin(&machine, STUBDOM_COMMAND_SAVE, NULL, TEXT("running"), NULL));
}

static void
testLateLogdirty(void)
{
    static const char *const answers[] = {"enable", "disable", "garbage"};
    DmChannelMachine machine;

    for (gsize c = 0; c < G_N_ELEMENTS(logdirtyCommands); c++) {
        for (gsize i = 0; i < G_N_ELEMENTS(answers); i++) {
            initWaiting(&machine, logdirtyCommands[c]);
            dmMachineExpire(&machine);
            g_assert_cmpint(observeRet(&machine, NULL), ==, DM_VERDICT_NOTHING);
            g_assert_cmpint(observeRet(&machine, answers[i]), ==, DM_VERDICT_LATE);
            g_assert_cmpint(machine.phase, ==, DM_CHANNEL_IDLE);
            g_assert_false(machine.acknowledge);
        }
    }
}

/* The answer to one command is never taken for that of the next. */
static void
testLateThenNext(void)
{
    DmChannelMachine machine;

    initWaiting(&machine, STUBDOM_COMMAND_PCI_REMOVE);
    dmMachineExpire(&machine);
    assertRefused(&machine, STUBDOM_COMMAND_PCI_INSERT, SLOT_PARAMETER, TEXT("pci-removed"), DM_ERROR_BUSY);
    g_assert_cmpint(observeState(&machine, "pci-removed"), ==, DM_VERDICT_LATE);
    /* Until "running" is written back, the state is not the one a command starts from. */
    assertRefused(&machine, STUBDOM_COMMAND_PCI_REMOVE, SLOT_PARAMETER, TEXT("pci-removed"), DM_ERROR_BUSY);
    g_assert_true(dmMachineBegin(&machine, STUBDOM_COMMAND_PCI_REMOVE, SLOT_PARAMETER, TEXT("running"), NULL));
    g_assert_cmpint(observeState(&machine, "running"), ==, DM_VERDICT_NOTHING);
    g_assert_cmpint(machine.phase, ==, DM_CHANNEL_WAITING);
}

/* Nobody asked: nothing follows from it. */
static void
testIdle(void)
{
    DmChannelMachine machine;

    initIdle(&machine);
    for (gsize i = 0; i < G_N_ELEMENTS(garbage); i++) {
        g_assert_cmpint(dmMachineObserve(&machine, garbage[i], garbage[i], garbage[i]), ==, DM_VERDICT_NOTHING);
    }
    g_assert_cmpint(observeParameter(&machine, "pci-inserted", "0x20"), ==, DM_VERDICT_NOTHING);
    g_assert_false(machine.acknowledge);
    dmMachineExpire(&machine);
    g_assert_cmpint(machine.phase, ==, DM_CHANNEL_IDLE);
}

static void
assertDead(DmChannelMachine *machine)
{
    dmMachineDie(machine);
    g_assert_cmpint(machine->phase, ==, DM_CHANNEL_DEAD);
    g_assert_cmpint(dmMachineObserve(machine, TEXT("running"), TEXT("0x20"), TEXT("enable")), ==, DM_VERDICT_NOTHING);
    g_assert_cmpint(dmMachineObserve(machine, TEXT("paused"), TEXT("0x20"), TEXT("enable")), ==, DM_VERDICT_NOTHING);
    g_assert_false(machine->acknowledge);
    dmMachineExpire(machine);
    g_assert_cmpint(machine->phase, ==, DM_CHANNEL_DEAD);
    assertRefused(machine, STUBDOM_COMMAND_CONTINUE, NULL, TEXT("paused"), DM_ERROR_DEAD);
    dmMachineDie(machine);
    g_assert_cmpint(machine->phase, ==, DM_CHANNEL_DEAD);
}

static void
testDeath(void)
{
    DmChannelMachine machine;

    dmMachineInit(&machine);
    assertDead(&machine);
    initIdle(&machine);
    assertDead(&machine);
    for (guint command = 0; command < STUBDOM_COMMAND_LAST; command++) {
        initWaiting(&machine, (StubdomCommand)command);
        assertDead(&machine);
        initWaiting(&machine, (StubdomCommand)command);
        dmMachineExpire(&machine);
        assertDead(&machine);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/channel-state/start", testStart);
    g_test_add_func("/channel-state/start-garbage", testStartGarbage);
    g_test_add_func("/channel-state/start-expires", testStartExpires);
    g_test_add_func("/channel-state/stale-value", testStaleValue);
    g_test_add_func("/channel-state/success", testSuccess);
    g_test_add_func("/channel-state/acknowledge", testAcknowledge);
    g_test_add_func("/channel-state/failure-word", testFailureWord);
    g_test_add_func("/channel-state/garbage", testGarbage);
    g_test_add_func("/channel-state/text", testText);
    g_test_add_func("/channel-state/insert-slot", testInsertSlot);
    g_test_add_func("/channel-state/minios-failure", testMiniosFailure);
    g_test_add_func("/channel-state/minios-order", testMiniosOrder);
    g_test_add_func("/channel-state/logdirty", testLogdirty);
    g_test_add_func("/channel-state/begin-phases", testBeginPhases);
    g_test_add_func("/channel-state/begin-state", testBeginState);
    g_test_add_func("/channel-state/begin-parameter", testBeginParameter);
    g_test_add_func("/channel-state/late", testLate);
    g_test_add_func("/channel-state/late-minios-failure", testLateMiniosFailure);
    g_test_add_func("/channel-state/late-logdirty", testLateLogdirty);
    g_test_add_func("/channel-state/late-then-next", testLateThenNext);
    g_test_add_func("/channel-state/idle", testIdle);
    g_test_add_func("/channel-state/death", testDeath);
    return g_test_run();
}
