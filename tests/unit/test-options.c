/*
 * Unit tests of xen-stubdom-dm's command line
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <string.h>

#include "dm_error.h"
#include "dm_options.h"

#define SOCKET "-chardev", "socket,id=libxl-cmd,path=/run/qmp,server=on,wait=off"
#define MINIMAL "xen-stubdom-dm", "-xen-domid", "3", SOCKET

static DmOptions *
parse(const char *const *argv, GError **error)
{
    return dmOptionsParse((int)g_strv_length((char **)argv), (char **)argv, error);
}

static void
testDefaults(void)
{
    const char *const argv[] = {MINIMAL, NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(DmOptions) options = parse(argv, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(options->domid, ==, 3);
    g_assert_cmpstr(options->qmpPath, ==, "/run/qmp");
    g_assert_cmpint(options->qmpFd, ==, -1);
    g_assert_null(options->statPath);
    g_assert_cmpint(options->incomingFd, ==, -1);
    g_assert_cmpuint(g_strv_length(options->arguments), ==, 0);
    g_assert_cmpstr(options->image, ==, DM_IMAGE_DEFAULT);
    g_assert_null(options->config);
    g_assert_cmpuint(options->startTimeout, ==, DM_START_TIMEOUT_DEFAULT);
    g_assert_cmpuint(options->commandTimeout, ==, DM_COMMAND_TIMEOUT_DEFAULT);
    g_assert_cmpuint(options->saveLimit, ==, DM_SAVE_LIMIT_DEFAULT);
    g_assert_cmpuint(options->logLimit, ==, DM_LOG_LIMIT_DEFAULT);
    g_assert_cmpuint(options->memory, ==, 0);
}

/* What is dom0's is taken, everything else is left in its order. */
static void
testLibxl(void)
{
    const char *const argv[] = {"xen-stubdom-dm",
                                "-xen-domid",
                                "32751",
                                "-no-shutdown",
                                "-chardev",
                                "socket,id=libxl-cmd,fd=19,server=on,wait=off",
                                "-S",
                                "-mon",
                                "chardev=libxl-cmd,mode=control",
                                "-chardev",
                                "socket,id=libxenstat-cmd,path=/run/stat,server=on,wait=off",
                                "-mon",
                                "chardev=libxenstat-cmd,mode=control",
                                "-name",
                                "guest",
                                "-incoming",
                                "fd:20",
                                "-m",
                                "248",
                                NULL};
    const char *const rest[] = {"-no-shutdown", "-S", "-name", "guest", "-m", "248", NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(DmOptions) options = parse(argv, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(options->domid, ==, 32751);
    g_assert_null(options->qmpPath);
    g_assert_cmpint(options->qmpFd, ==, 19);
    g_assert_cmpstr(options->statPath, ==, "/run/stat");
    g_assert_cmpint(options->incomingFd, ==, 20);
    g_assert_cmpstrv(options->arguments, rest);
}

static void
testOwn(void)
{
    const char *const argv[] = {MINIMAL,
                                "-stubdom",
                                "image=other,config=/run/g,,1.json,memory=128,start-timeout=1,command-timeout=3600,"
                                "save-limit=4294967296,log-limit=4096,cpus=0-3,,8",
                                "-stubdom",
                                "memory=256,pci-reset=optional",
                                NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(DmOptions) options = parse(argv, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(options->image, ==, "other");
    g_assert_cmpstr(options->config, ==, "/run/g,1.json");
    g_assert_cmpuint(options->memory, ==, 256);
    g_assert_cmpstr(options->cpus, ==, "0-3,8");
    g_assert_cmpuint(options->startTimeout, ==, 1);
    g_assert_cmpuint(options->commandTimeout, ==, 3600);
    g_assert_cmpuint(options->saveLimit, ==, DM_LIMIT_MAX);
    g_assert_cmpuint(options->logLimit, ==, 4096);
    g_assert_true(options->pciResetOptional);
}

static void
testOwnRefused(void)
{
    static const char *const bad[] = {
        "",
        "image",
        "image=",
        "config=",
        "=x",
        "memmory=128",
        "cpus",
        "cpus=",
        "cpus=0,8",
        "cpus=all",
        "pci-reset",
        "pci-reset=maybe",
        "memory=",
        "memory=15",
        "memory=65537",
        "memory=-1",
        "memory=128M",
        "memory=99999999999999999999",
        "start-timeout=0",
        "start-timeout=3601",
        "command-timeout= 5",
        "save-limit=4095",
        "save-limit=4294967297",
        "log-limit=1e6",
        "image=a,",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        const char *const argv[] = {MINIMAL, "-stubdom", bad[i], NULL};
        g_autoptr(GError) error = NULL;

        g_test_message("-stubdom '%s'", bad[i]);
        g_assert_null(parse(argv, &error));
        g_assert_error(error, DM_ERROR, DM_ERROR_ARGUMENT);
    }
}

static void
testRefused(void)
{
    static const struct {
        const char *argv[8];
        const char *says;
    } cases[] = {
        {{"xen-stubdom-dm"}, "-xen-domid"},
        {{"xen-stubdom-dm", SOCKET}, "-xen-domid"},
        {{"xen-stubdom-dm", SOCKET, "-xen-domid"}, "-xen-domid"},
        {{"xen-stubdom-dm", SOCKET, "-xen-domid", "0"}, "-xen-domid"},
        {{"xen-stubdom-dm", SOCKET, "-xen-domid", "32752"}, "32751"},
        {{"xen-stubdom-dm", SOCKET, "-xen-domid", "3x"}, "3x"},
        {{"xen-stubdom-dm", "-xen-domid", "3"}, "libxl-cmd"},
        {{"xen-stubdom-dm", "-xen-domid", "3", "-chardev", "socket,id=libxl-cmd,fd=2"}, "2"},
        {{"xen-stubdom-dm", "-xen-domid", "3", "-chardev", "socket,id=other,path=/run/qmp"}, "libxl-cmd"},
        {{MINIMAL, "-incoming", "tcp:0:4444"}, "tcp:0:4444"},
        {{MINIMAL, "-incoming", "fd:1"}, "1"},
        {{MINIMAL, "-incoming", "fd:"}, "-incoming"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(parse(cases[i].argv, &error));
        g_assert_error(error, DM_ERROR, DM_ERROR_ARGUMENT);
        g_test_message("%s", error->message);
        g_assert_nonnull(strstr(error->message, cases[i].says));
    }
}

/* A later socket counts, as with QEMU's options; other character devices and monitors are not ours. */
static void
testChardevs(void)
{
    const char *const argv[] = {MINIMAL,
                                "-chardev",
                                "socket,id=libxl-cmd,path=/run/later",
                                "-chardev",
                                "pty,id=libxl-channel0",
                                "-mon",
                                "chardev=mine,mode=control",
                                NULL};
    const char *const rest[] = {"-chardev", "pty,id=libxl-channel0", "-mon", "chardev=mine,mode=control", NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(DmOptions) options = parse(argv, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(options->qmpPath, ==, "/run/later");
    g_assert_cmpstrv(options->arguments, rest);
}

static void
testListGet(void)
{
    static const struct {
        const char *list;
        const char *key;
        const char *value;
    } cases[] = {
        {"socket,id=a,path=/x", "id", "a"},
        {"socket,id=a,path=/x", "path", "/x"},
        {"socket,id=a,path=/x", "pat", NULL},
        {"socket,id=a,path=/x", "socket", NULL},
        {"id=a,id=b", "id", "a"},
        {"path=/a,,b,id=c", "path", "/a,b"},
        {"path=/a,,b,id=c", "b,id", NULL},
        {"path=/a,,,id=c", "id", "c"},
        {"path=/a,,,id=c", "path", "/a,"},
        {"x=a=b", "x", "a=b"},
        {"x=", "x", ""},
        {"", "x", NULL},
        {",", "x", NULL},
        {"a,", "", NULL},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *value = dmOptionListGet(cases[i].list, cases[i].key);

        g_assert_cmpstr(value, ==, cases[i].value);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/options/defaults", testDefaults);
    g_test_add_func("/options/libxl", testLibxl);
    g_test_add_func("/options/own", testOwn);
    g_test_add_func("/options/own-refused", testOwnRefused);
    g_test_add_func("/options/refused", testRefused);
    g_test_add_func("/options/chardevs", testChardevs);
    g_test_add_func("/options/list-get", testListGet);
    return g_test_run();
}
