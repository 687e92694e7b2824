/*
 * Unit tests of the protocol's words
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <glib.h>
#include <string.h>

#include "protocol/stubdom_command.h"
#include "protocol/stubdom_paths.h"

static void
testStates(void)
{
    static const char *const nothing[] = {"", "r", "runnin", "running ", "Running", "running\n", "(none)", "(unknown)"};
    g_autofree char *huge = g_strnfill(4096, 'r');

    for (guint i = STUBDOM_STATE_RUNNING; i < STUBDOM_STATE_OTHER; i++) {
        const char *name = stubdomStateName((StubdomState)i);

        g_assert_cmpint(stubdomStateParse(name, strlen(name)), ==, i);
    }
    g_assert_cmpint(stubdomStateParse(NULL, 0), ==, STUBDOM_STATE_NONE);
    for (gsize i = 0; i < G_N_ELEMENTS(nothing); i++) {
        g_assert_cmpint(stubdomStateParse(nothing[i], strlen(nothing[i])), ==, STUBDOM_STATE_OTHER);
    }
    g_assert_cmpint(stubdomStateParse("running\0x", 9), ==, STUBDOM_STATE_OTHER);
    g_assert_cmpint(stubdomStateParse(huge, 4096), ==, STUBDOM_STATE_OTHER);
}

static void
testCommands(void)
{
    for (guint i = 0; i < STUBDOM_COMMAND_LAST; i++) {
        const StubdomCommandInfo *info = stubdomCommandInfo((StubdomCommand)i);

        g_assert_cmpint(info->command, ==, i);
        g_assert_nonnull(info->word);
        if (!info->logdirty) {
            g_assert_cmpint(stubdomCommandParse(info->word), ==, i);
            g_assert_cmpint(info->success, !=, info->before);
        }
    }
    /* Real ioemu-stubdoms take prefixes; nobody should send them. */
    g_assert_cmpint(stubdomCommandParse("s"), ==, STUBDOM_COMMAND_LAST);
    g_assert_cmpint(stubdomCommandParse(""), ==, STUBDOM_COMMAND_LAST);
    g_assert_cmpint(stubdomCommandParse("enable"), ==, STUBDOM_COMMAND_LAST);
    g_assert_cmpint(stubdomCommandParse("usb-add"), ==, STUBDOM_COMMAND_LAST);
}

static void
testVirtualSlot(void)
{
    static const char *const bad[] = {"",     "0",    "0x",    "28",    "0x123",
                                      "0xg0", "0X20", " 0x20", "0x20 ", "no free hotplug devfn"};
    guint8 devfn = 0;

    g_assert_true(stubdomVirtualSlotParse("0x28", 4, &devfn));
    g_assert_cmpuint(devfn, ==, 0x28);
    g_assert_true(stubdomVirtualSlotParse("0xff", 4, &devfn));
    g_assert_cmpuint(devfn, ==, 0xff);
    g_assert_true(stubdomVirtualSlotParse("0x8", 3, &devfn));
    g_assert_cmpuint(devfn, ==, 8);
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_false(stubdomVirtualSlotParse(bad[i], strlen(bad[i]), &devfn));
    }
    g_assert_false(stubdomVirtualSlotParse(NULL, 0, &devfn));
}

static void
testCpu(void)
{
    static const char *const bad[] = {"", "128", "0128", "1000", "-1", "+1", " 1", "1 ", "1,", "0x1", "a"};
    guint cpu = 999;

    g_assert_true(stubdomCpuParse("0", 1, &cpu));
    g_assert_cmpuint(cpu, ==, 0);
    g_assert_true(stubdomCpuParse("127", 3, &cpu));
    g_assert_cmpuint(cpu, ==, 127);
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_false(stubdomCpuParse(bad[i], strlen(bad[i]), &cpu));
    }
    g_assert_false(stubdomCpuParse(NULL, 0, &cpu));
    g_assert_cmpuint(cpu, ==, 127);
}

static void
testSanitize(void)
{
    g_autofree char *text = stubdomTextSanitize("a\x1b[2J\\\xff", 7, 64);
    g_autofree char *cut = stubdomTextSanitize("abcdef", 6, 3);

    g_assert_cmpstr(text, ==, "a\\x1b[2J\\x5c\\xff");
    g_assert_cmpstr(cut, ==, "abc...");
}

static void
testPaths(void)
{
    g_autofree char *state = stubdomPathNode(7, 5, STUBDOM_NODE_STATE);
    g_autofree char *ret = stubdomPathNode(7, 5, STUBDOM_NODE_LOGDIRTY_RET);
    g_autofree char *local = stubdomPathLocalDeviceModel(5);
    g_autofree char *argv = stubdomPathDmArgv("u");

    g_assert_cmpstr(state, ==, "/local/domain/7/device-model/5/state");
    g_assert_cmpstr(ret, ==, "/local/domain/7/device-model/5/logdirty/ret");
    g_assert_cmpstr(local, ==, "/local/domain/0/device-model/5");
    g_assert_cmpstr(argv, ==, "/vm/u/image/dm-argv");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/protocol/states", testStates);
    g_test_add_func("/protocol/commands", testCommands);
    g_test_add_func("/protocol/virtual-slot", testVirtualSlot);
    g_test_add_func("/protocol/cpu", testCpu);
    g_test_add_func("/protocol/sanitize", testSanitize);
    g_test_add_func("/protocol/paths", testPaths);
    return g_test_run();
}
