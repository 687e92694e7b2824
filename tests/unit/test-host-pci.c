/*
 * Unit tests of what sysfs says about a PCI device
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * sysfs is a directory this test makes.
 */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "host/host_pci.h"

#define ADDRESS "0000:03:00.0"

typedef struct {
    char *sysfs;
    char *device;
    char *pciback;
} Fixture;

static void
setUp(Fixture *f, gconstpointer data)
{
    f->sysfs = g_dir_make_tmp("host-pci-XXXXXX", NULL);
    g_assert_nonnull(f->sysfs);
    f->device = g_build_filename(f->sysfs, "bus/pci/devices/" ADDRESS, NULL);
    f->pciback = g_build_filename(f->sysfs, "bus/pci/drivers/pciback", NULL);
}

static void
makeDirectory(const char *path)
{
    g_assert_cmpint(g_mkdir_with_parents(path, 0700), ==, 0);
}

static void
bindTo(Fixture *f, const char *driver)
{
    g_autofree char *target = g_build_filename("../../drivers", driver, NULL);
    g_autofree char *path = g_build_filename(f->device, "driver", NULL);

    (void)g_unlink(path);
    g_assert_cmpint(symlink(target, path), ==, 0);
}

static void
addReset(Fixture *f)
{
    g_autofree char *path = g_build_filename(f->device, "reset", NULL);

    g_assert_true(g_file_set_contents(path, "", -1, NULL));
}

static void
removeAll(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *child = g_build_filename(path, name, NULL);

        if (g_file_test(child, G_FILE_TEST_IS_DIR) && !g_file_test(child, G_FILE_TEST_IS_SYMLINK)) {
            removeAll(child);
        } else {
            (void)g_unlink(child);
        }
    }
    (void)g_rmdir(path);
}

static void
tearDown(Fixture *f, gconstpointer data)
{
    removeAll(f->sysfs);
    g_free(f->sysfs);
    g_free(f->device);
    g_free(f->pciback);
}

static void
expect(Fixture *f, guint needs, HostPciProblem expected, const char *word)
{
    g_autofree char *text = NULL;

    g_assert_cmpint(hostPciCheck(f->sysfs, ADDRESS, needs, &text), ==, expected);
    if (word) {
        g_assert_nonnull(strstr(text, word));
    } else {
        g_assert_null(text);
    }
}

#define ALL (HOST_PCI_MUST_BE_BOUND | HOST_PCI_MUST_RESET)

static void
testInTheWay(Fixture *f, gconstpointer data)
{
    g_autofree char *driver = NULL;

    g_assert_null(hostPciDriver(f->sysfs, ADDRESS));
    expect(f, ALL, HOST_PCI_ABSENT, "no PCI device " ADDRESS);
    makeDirectory(f->device);
    expect(f, ALL, HOST_PCI_NO_BACKEND, "modprobe xen-pciback");
    makeDirectory(f->pciback);
    expect(f, ALL, HOST_PCI_NOT_ASSIGNABLE, "its driver is ''");
    bindTo(f, "e1000e");
    expect(f, ALL, HOST_PCI_NOT_ASSIGNABLE, "its driver is 'e1000e'");
    expect(f, 0, HOST_PCI_USABLE, NULL);
    expect(f, HOST_PCI_MUST_RESET, HOST_PCI_NO_RESET, ADDRESS "/reset");
    bindTo(f, "pciback");
    driver = hostPciDriver(f->sysfs, ADDRESS);
    g_assert_cmpstr(driver, ==, "pciback");
    expect(f, ALL, HOST_PCI_NO_RESET, ADDRESS "/reset");
    expect(f, HOST_PCI_MUST_BE_BOUND, HOST_PCI_USABLE, NULL);
    addReset(f);
    expect(f, ALL, HOST_PCI_USABLE, NULL);
}

static void
testReset(Fixture *f, gconstpointer data)
{
    g_autofree char *path = g_build_filename(f->device, "reset", NULL);
    g_autofree char *written = NULL;
    g_autofree char *text = NULL;

    makeDirectory(f->device);
    g_assert_cmpint(hostPciReset(f->sysfs, ADDRESS, &text), ==, HOST_PCI_RESET_NONE);
    g_assert_nonnull(strstr(text, path));
    g_clear_pointer(&text, g_free);
    addReset(f);
    g_assert_cmpint(hostPciReset(f->sysfs, ADDRESS, &text), ==, HOST_PCI_RESET_DONE);
    g_assert_null(text);
    g_assert_true(g_file_get_contents(path, &written, NULL, NULL));
    g_assert_cmpstr(written, ==, "1");
    g_assert_cmpint(g_unlink(path), ==, 0);
    g_assert_cmpint(symlink("/dev/full", path), ==, 0); /* a write that fails */
    g_assert_cmpint(hostPciReset(f->sysfs, ADDRESS, &text), ==, HOST_PCI_RESET_FAILED);
    g_assert_nonnull(strstr(text, g_strerror(ENOSPC)));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/host/pci/in-the-way", Fixture, NULL, setUp, testInTheWay, tearDown);
    g_test_add("/host/pci/reset", Fixture, NULL, setUp, testReset, tearDown);
    return g_test_run();
}
