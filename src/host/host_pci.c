/*
 * What sysfs says about a PCI device that is to be passed through, see the header
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "host_pci.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <glib/gi18n-lib.h>

#define PCIBACK "pciback"

/* The driver's name, or NULL if the device has none. */
static char *
driverOf(const char *device)
{
    g_autofree char *link = g_build_filename(device, "driver", NULL);
    g_autofree char *target = g_file_read_link(link, NULL);

    return target ? g_path_get_basename(target) : NULL;
}

char *
hostPciDriver(const char *sysfs, const char *address)
{
    g_autofree char *device = g_build_filename(sysfs ? sysfs : "/sys", "bus/pci/devices", address, NULL);

    return driverOf(device);
}

HostPciProblem
hostPciCheck(const char *sysfs, const char *address, guint needs, char **text)
{
    g_autofree char *pci = g_build_filename(sysfs ? sysfs : "/sys", "bus/pci", NULL);
    g_autofree char *device = g_build_filename(pci, "devices", address, NULL);
    g_autofree char *backend = g_build_filename(pci, "drivers", PCIBACK, NULL);
    g_autofree char *reset = g_build_filename(device, "reset", NULL);
    g_autofree char *driver = NULL;

    *text = NULL;
    if (!g_file_test(device, G_FILE_TEST_EXISTS)) {
        *text = g_strdup_printf(_("the host has no PCI device %s: there is no '%s'"), address, device);
        return HOST_PCI_ABSENT;
    }
    if (!g_file_test(backend, G_FILE_TEST_EXISTS)) {
        *text =
            g_strdup_printf(_("xen-pciback is not loaded: there is no '%s'; 'modprobe xen-pciback' loads it"), backend);
        return HOST_PCI_NO_BACKEND;
    }
    driver = driverOf(device);
    if ((needs & HOST_PCI_MUST_BE_BOUND) && g_strcmp0(driver, PCIBACK) != 0) {
        *text = g_strdup_printf(_("PCI device %s is not assignable: its driver is '%s' ('%s/driver'), not '%s'; 'xl "
                                  "pci-assignable-add' or 'virsh nodedev-detach' changes that"),
                                address, driver ? driver : "", device, PCIBACK);
        return HOST_PCI_NOT_ASSIGNABLE;
    }
    if ((needs & HOST_PCI_MUST_RESET) && !g_file_test(reset, G_FILE_TEST_EXISTS)) {
        *text = g_strdup_printf(_("PCI device %s cannot be reset: there is no '%s'; it would keep what one domain left "
                                  "in it for the next"),
                                address, reset);
        return HOST_PCI_NO_RESET;
    }
    return HOST_PCI_USABLE;
}

HostPciReset
hostPciReset(const char *sysfs, const char *address, char **text)
{
    g_autofree char *path = g_build_filename(sysfs ? sysfs : "/sys", "bus/pci/devices", address, "reset", NULL);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    ssize_t length;
    int error;

    *text = NULL;
    if (fd < 0 && errno == ENOENT) {
        *text = g_strdup_printf(_("PCI device %s cannot be reset: there is no '%s'"), address, path);
        return HOST_PCI_RESET_NONE;
    }
    length = fd < 0 ? -1 : write(fd, "1", 1);
    error = errno;
    if (fd >= 0) {
        close(fd);
    }
    if (length == 1) {
        return HOST_PCI_RESET_DONE;
    }
    *text =
        g_strdup_printf(_("PCI device %s was not reset: writing '%s' failed: %s"), address, path, g_strerror(error));
    return HOST_PCI_RESET_FAILED;
}
