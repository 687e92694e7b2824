/*
 * What stubdom-init gets from its kernel: interfaces, modules; and what it gives: randomness
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <glib.h>
#include <net/if.h>
#include <string.h>

#include "stubdomain/init_devices.h"
#include "stubdomain/init_entropy.h"
#include "stubdomain/init_error.h"
#include "stubdomain/init_modules.h"
#include "stubdomain/init_netlink.h"
#include "protocol/stubdom_paths.h"

static void
testSeed(void)
{
    static const char good[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eFF";
    static const char *const wrong[] = {
        "",
        "00",
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e",
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eff0",
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1g",
        "0x0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
    };
    guint8 bytes[STUBDOM_RANDOM_SEED_BYTES];

    g_assert_true(initEntropyParse(good, bytes, NULL));
    for (guint i = 0; i < 31; i++)
        g_assert_cmpuint(bytes[i], ==, i);
    g_assert_cmpuint(bytes[31], ==, 0xff);
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(initEntropyParse(wrong[i], bytes, &error));
        g_assert_error(error, INIT_ERROR, INIT_ERROR_ARGUMENT);
        g_clear_error(&error);
        g_assert_false(initEntropyAdd(wrong[i], &error));
        g_assert_error(error, INIT_ERROR, INIT_ERROR_ARGUMENT);
    }
}

/* The kernel's answer is that of if_nametoindex(), which asks in another way. */
static void
testInterface(void)
{
    g_assert_cmpuint(if_nametoindex("lo"), !=, 0);
    g_assert_cmpuint(initNetlinkIndex("lo"), ==, if_nametoindex("lo"));
    g_assert_cmpuint(initNetlinkIndex("no-such-card"), ==, 0);
    g_assert_cmpuint(initNetlinkIndex(""), ==, 0);
}

static gboolean
isFourth(guint number, gpointer data)
{
    guint *asked = data;

    (*asked)++;
    return number == 4;
}

/* Nothing of a stubdomain is here: its first device is named. */
static void
testMissing(void)
{
    static const char *const disk[] = {"-drive", "file=/dev/xvdzz,if=ide", NULL};
    static const char *const card[] = {"-netdev", "type=tap,id=n,ifname=tap65000", NULL};
    static const char *const none[] = {"-serial", "null", NULL};
    g_autoptr(InitArguments) withDisk = initArgumentsParse(disk, NULL);
    g_autoptr(InitArguments) withCard = initArgumentsParse(card, NULL);
    g_autoptr(InitArguments) withNothing = initArgumentsParse(none, NULL);
    guint asked = 0;
    g_autofree char *missingDisk = initDevicesMissing(withDisk, isFourth, &asked);
    g_autofree char *missingCard = initDevicesMissing(withCard, isFourth, &asked);

    g_assert_cmpstr(missingDisk, ==, "/dev/xvdzz");
    g_assert_cmpstr(missingCard, ==, "PV network card 65000");
    g_assert_null(initDevicesMissing(withNothing, isFourth, &asked));
    g_assert_cmpuint(asked, ==, 0);
}

/* Consoles are not opened; the first is the kernel's own. */
static void
testConsoles(void)
{
    static const char *const some[] = {"-serial", "/dev/hvc0", "-serial", "/dev/hvc4", "-serial", "/dev/hvc12", NULL};
    static const char *const connected[] = {"-serial", "/dev/hvc0", "-serial", "/dev/hvc4", NULL};
    g_autoptr(InitArguments) withSome = initArgumentsParse(some, NULL);
    g_autoptr(InitArguments) withConnected = initArgumentsParse(connected, NULL);
    guint asked = 0;
    g_autofree char *missing = initDevicesMissing(withSome, isFourth, &asked);

    g_assert_cmpstr(missing, ==, "/dev/hvc12");
    g_assert_cmpuint(asked, ==, 2);
    g_assert_null(initDevicesMissing(withConnected, isFourth, &asked));
    g_assert_cmpuint(asked, ==, 3);
}

typedef struct {
    GMainLoop *loop;
    GThread *thread;
    guint calls;
} Loading;

static void
loaded(const GError *error, gpointer data)
{
    Loading *loading = data;

    g_assert_no_error(error);
    g_assert_true(g_thread_self() == loading->thread);
    loading->calls++;
    g_main_loop_quit(loading->loop);
}

/* There is no list of modules here, which means that all are built in; what is tested is who tells, and where. */
static void
testModulesBeside(void)
{
    Loading loading = {.loop = g_main_loop_new(NULL, FALSE), .thread = g_thread_self()};

    initModulesLoadBeside("no-such-group", loaded, &loading);
    g_assert_cmpuint(loading.calls, ==, 0);
    g_main_loop_run(loading.loop);
    g_assert_cmpuint(loading.calls, ==, 1);
    g_main_loop_unref(loading.loop);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/stubdomain/seed", testSeed);
    g_test_add_func("/stubdomain/interface", testInterface);
    g_test_add_func("/stubdomain/missing", testMissing);
    g_test_add_func("/stubdomain/consoles", testConsoles);
    g_test_add_func("/stubdomain/modules-beside", testModulesBeside);
    return g_test_run();
}
