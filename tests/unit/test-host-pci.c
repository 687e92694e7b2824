/*
 * Unit tests of what sysfs says about a PCI device
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * sysfs is a directory this test makes.
 */

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
expect(Fixture *f, gboolean needReset, HostPciProblem expected, const char *word)
{
    g_autofree char *text = NULL;

    g_assert_cmpint(hostPciCheck(f->sysfs, ADDRESS, needReset, &text), ==, expected);
    if (word) {
        g_assert_nonnull(strstr(text, word));
    } else {
        g_assert_null(text);
    }
}

static void
testInTheWay(Fixture *f, gconstpointer data)
{
    expect(f, TRUE, HOST_PCI_ABSENT, "no PCI device " ADDRESS);
    makeDirectory(f->device);
    expect(f, TRUE, HOST_PCI_NO_BACKEND, "modprobe xen-pciback");
    makeDirectory(f->pciback);
    expect(f, TRUE, HOST_PCI_NOT_ASSIGNABLE, "its driver is ''");
    bindTo(f, "e1000e");
    expect(f, TRUE, HOST_PCI_NOT_ASSIGNABLE, "its driver is 'e1000e'");
    bindTo(f, "pciback");
    expect(f, TRUE, HOST_PCI_NO_RESET, ADDRESS "/reset");
    expect(f, FALSE, HOST_PCI_USABLE, NULL);
    addReset(f);
    expect(f, TRUE, HOST_PCI_USABLE, NULL);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/host/pci/in-the-way", Fixture, NULL, setUp, testInTheWay, tearDown);
    return g_test_run();
}
