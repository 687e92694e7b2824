/*
 * Unit tests of the stubdomain's argument list, options and PCI addresses
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What goes in is what the toolstack writes, and what goes wrong is what a
 * person writes by hand.
 */

#include "stubdomain/init_arguments.h"
#include "stubdomain/init_error.h"
#include "stubdomain/init_options.h"
#include "stubdomain/init_pci_address.h"

static const char *
argumentAt(const InitArguments *arguments, guint i)
{
    return g_ptr_array_index(arguments->argv, i);
}

static void
testNodes(void)
{
    const char *const argv[] = {
        "-drive",  "file=/dev/xvda,if=ide,index=0",
        "-drive",  "file=/dev/xvdb,id=a,file=/dev/xvda",
        "-serial", "/dev/hvc3",
        "-serial", "/dev/hvcX",
        "-name",   "/dev/xvdz /dev/hvc9",
        NULL,
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(InitArguments) arguments = initArgumentsParse(argv, &error);
    const InitNode *node = NULL;

    g_assert_no_error(error);
    g_assert_cmpuint(arguments->argv->len, ==, 10);
    g_assert_cmpuint(arguments->nodes->len, ==, 3);
    node = g_ptr_array_index(arguments->nodes, 0);
    g_assert_cmpstr(node->path, ==, "/dev/xvda");
    g_assert_cmpint(node->kind, ==, INIT_NODE_DISK);
    node = g_ptr_array_index(arguments->nodes, 1);
    g_assert_cmpstr(node->path, ==, "/dev/xvdb");
    node = g_ptr_array_index(arguments->nodes, 2);
    g_assert_cmpstr(node->path, ==, "/dev/hvc3");
    g_assert_cmpint(node->kind, ==, INIT_NODE_CONSOLE);
    g_assert_true(initArgumentsHas(arguments, INIT_NODE_DISK));
    g_assert_true(initArgumentsHas(arguments, INIT_NODE_CONSOLE));
}

static void
testNoNodes(void)
{
    const char *const argv[] = {"-netdev", NULL};
    g_autoptr(InitArguments) arguments = initArgumentsParse(argv, NULL);

    g_assert_nonnull(arguments);
    g_assert_false(initArgumentsHas(arguments, INIT_NODE_DISK));
    g_assert_cmpuint(arguments->nics->len, ==, 0);
    g_assert_null(arguments->incoming);
}

static void
testTaps(void)
{
    const char *const argv[] = {
        "-netdev", "type=tap,id=net1,ifname=tap1,script=no,downscript=no",
        "-netdev", "tap,ifname=tap0,id=a,,b,br=xenbr0,vhost=off",
        "-netdev", "tap,id=net2,fd=9",
        "-netdev", "user,id=net3",
        NULL,
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(InitArguments) arguments = initArgumentsParse(argv, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(arguments->nics->len, ==, 2);
    g_assert_cmpuint(g_array_index(arguments->nics, InitNic, 0).number, ==, 1);
    g_assert_cmpuint(g_array_index(arguments->nics, InitNic, 1).number, ==, 0);
    initArgumentsSetTap(arguments, 0, 17);
    initArgumentsSetTap(arguments, 1, 18);
    g_assert_cmpstr(argumentAt(arguments, 1), ==, "type=tap,id=net1,fd=17");
    g_assert_cmpstr(argumentAt(arguments, 3), ==, "tap,id=a,,b,vhost=off,fd=18");
    g_assert_cmpstr(argumentAt(arguments, 5), ==, "tap,id=net2,fd=9");
    g_assert_cmpstr(argumentAt(arguments, 7), ==, "user,id=net3");
}

static void
testTapsRefused(void)
{
    static const char *const wrong[] = {
        "tap,id=n",
        "tap,id=n,ifname=",
        "tap,id=n,ifname=vif1.0-emu",
        "tap,id=n,ifname=tap",
        "tap,id=n,ifname=tap-1",
        "tap,id=n,ifname=tap65536",
        "tap,id=n,ifname=tap1x",
    };
    const char *const twice[] = {"-netdev", "tap,id=a,ifname=tap0", "-netdev", "tap,id=b,ifname=tap0", NULL};
    g_autoptr(GError) error = NULL;

    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        const char *const argv[] = {"-netdev", wrong[i], NULL};
        g_autoptr(GError) local = NULL;

        g_assert_null(initArgumentsParse(argv, &local));
        g_assert_error(local, INIT_ERROR, INIT_ERROR_ARGUMENT);
    }
    g_assert_null(initArgumentsParse(twice, &error));
    g_assert_error(error, INIT_ERROR, INIT_ERROR_ARGUMENT);
}

static void
testIncoming(void)
{
    const char *const argv[] = {"-incoming", "fd:/dev/hvc2", "-S", NULL};
    g_autoptr(InitArguments) arguments = initArgumentsParse(argv, NULL);

    g_assert_cmpstr(arguments->incoming, ==, "/dev/hvc2");
    g_assert_cmpuint(arguments->nodes->len, ==, 1);
    initArgumentsSetIncoming(arguments, 5);
    g_assert_cmpstr(argumentAt(arguments, 1), ==, "fd:5");
    g_assert_cmpstr(argumentAt(arguments, 2), ==, "-S");
}

static void
testOptions(void)
{
    static const char *const wrong[] = {
        "stubdom.timeout=0",     "stubdom.timeout=", "stubdom.timeout=1s",
        "stubdom.timeout=99999", "stubdom.foo",      "stubdom.restrict=1",
    };
    InitOptions options;

    g_assert_true(initOptionsParse("console=hvc0 quiet\n", &options, NULL));
    g_assert_cmpuint(options.timeout, ==, INIT_EJECT_TIMEOUT_DEFAULT + INIT_EJECT_TIMEOUT_SPARE);
    g_assert_cmpuint(options.deviceTimeout, ==, INIT_DEVICE_TIMEOUT_DEFAULT);
    g_assert_false(options.restricted);
    g_assert_true(
        initOptionsParse("a stubdom.timeout=7 stubdom.eject-timeout=9 stubdom.restrict xstubdom.x\n", &options, NULL));
    g_assert_cmpuint(options.timeout, ==, 7);
    g_assert_cmpuint(options.deviceTimeout, ==, 7);
    g_assert_cmpuint(options.ejectTimeout, ==, 9);
    g_assert_true(options.restricted);
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(initOptionsParse(wrong[i], &options, &error));
        g_assert_error(error, INIT_ERROR, INIT_ERROR_ARGUMENT);
    }
}

static void
testPciAddress(void)
{
    InitPciAddress address;
    g_autofree char *text = NULL;

    g_assert_true(initPciAddressParse("0000:03:1f.7,msitranslate=1,power_mgmt=0", &address, NULL));
    g_assert_cmpuint(address.bus, ==, 3);
    g_assert_cmpuint(address.slot, ==, 0x1f);
    g_assert_cmpuint(address.function, ==, 7);
    g_assert_false(address.hasVirtual);
    g_assert_false(address.permissive);
    text = initPciAddressText(&address);
    g_assert_cmpstr(text, ==, "0000:03:1f.7");

    g_assert_true(initPciAddressParse("ffff:FF:00.0@30,permissive=1", &address, NULL));
    g_assert_true(address.hasVirtual);
    g_assert_cmpuint(address.virtualDevfn, ==, 0x30);
    g_assert_true(address.permissive);

    g_assert_true(initPciAddressParse("0000:00:09.01", &address, NULL));
    g_assert_cmpuint(address.function, ==, 1);
}

static void
testPciAddressRefused(void)
{
    static const char *const wrong[] = {
        "",
        "00:03.0",
        "0000:03:00",
        "0000:03:00.8",
        "0000:03:20.0",
        "0000:100:00.0",
        "00000:03:00.0",
        "0000:03:00.0@",
        "0000:03:00.0@100",
        "0000:03:00.0,",
        "0000:03:00.0 ",
        "0000:03:00.0,x",
        "g000:00:00.0",
        "0000:03:00.0@30x",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;
        InitPciAddress address;

        g_assert_false(initPciAddressParse(wrong[i], &address, &error));
        g_assert_error(error, INIT_ERROR, INIT_ERROR_ARGUMENT);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/stubdomain/arguments/nodes", testNodes);
    g_test_add_func("/stubdomain/arguments/no-nodes", testNoNodes);
    g_test_add_func("/stubdomain/arguments/taps", testTaps);
    g_test_add_func("/stubdomain/arguments/taps-refused", testTapsRefused);
    g_test_add_func("/stubdomain/arguments/incoming", testIncoming);
    g_test_add_func("/stubdomain/options", testOptions);
    g_test_add_func("/stubdomain/pci-address/good", testPciAddress);
    g_test_add_func("/stubdomain/pci-address/refused", testPciAddressRefused);
    return g_test_run();
}
