/*
 * What goes through a domain's devices
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The backends are dom0's kernel's; they count, and sysfs has the numbers. The
 * guest's disks have the numbers their names stand for. The stubdomain's are
 * found by what they are backed by, network cards by their MAC address: their
 * order changes with hotplug.
 */

#include "stubdom_compat.h"

#include "stubdom_backend.h"

#include "virfile.h"
#include "virutil.h"

#include "stubdom_private.h"

#define BYTES_PER_SECTOR 512ULL

/* Majors of Linux's hd, sd and xvd. */
#define IDE_PRIMARY 3
#define IDE_SECONDARY 22
#define SCSI 8
#define XVD 202
#define OF_16_PARTITIONS 16 /* disks with a number of the old kind */

bool
stubdomBackendsOpen(StubdomBackends *backends, const StubdomDriver *driver, const virDomainObj *vm)
{
    *backends = (StubdomBackends){.driver = driver, .stubdomain = stubdomPrivate(vm)->stubdomain};
    if (!driver->libxl || !stubdomDomid(vm, &backends->guest)) {
        return false;
    }
    backends->guestNics = libxl_device_nic_list(driver->libxl->ctx, backends->guest, &backends->nguestNics);
    if (backends->stubdomain) {
        backends->disks = libxl_device_disk_list(driver->libxl->ctx, backends->stubdomain, &backends->ndisks);
        backends->nics = libxl_device_nic_list(driver->libxl->ctx, backends->stubdomain, &backends->nnics);
    }
    return true;
}

void
stubdomBackendsClose(StubdomBackends *backends)
{
    libxl_device_disk_list_free(backends->disks, backends->disks ? backends->ndisks : 0);
    libxl_device_nic_list_free(backends->guestNics, backends->guestNics ? backends->nguestNics : 0);
    libxl_device_nic_list_free(backends->nics, backends->nics ? backends->nnics : 0);
}

static bool G_GNUC_PRINTF(2, 3) addValue(unsigned long long *sum, const char *format, ...)
{
    g_autofree char *path = NULL;
    unsigned long long value = 0;
    va_list arguments;

    va_start(arguments, format);
    path = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    if (virFileReadValueUllongQuiet(&value, "%s", path) < 0) {
        return false;
    }
    *sum += value;
    return true;
}

/* --- disks ------------------------------------------------------------------- */

static int
xvdNumber(int index)
{
    return index < OF_16_PARTITIONS ? (XVD << 8) | (index << 4) : (1 << 28) | (index << 8);
}

int
stubdomBackendDiskNumber(const char *name)
{
    int index = virDiskNameToIndex(name);

    if (index < 0) {
        return -1;
    }
    if (g_str_has_prefix(name, "xvd")) {
        return xvdNumber(index);
    }
    if (g_str_has_prefix(name, "hd") && index < 4) {
        return ((index < 2 ? IDE_PRIMARY : IDE_SECONDARY) << 8) | ((index & 1) << 6);
    }
    if (g_str_has_prefix(name, "sd") && index < OF_16_PARTITIONS) {
        return (SCSI << 8) | (index << 4);
    }
    return -1;
}

static bool
addDisk(const StubdomDriver *driver, uint32_t domid, int number, StubdomDiskCounters *sum)
{
    g_autofree char *directory =
        g_strdup_printf("%s/bus/xen-backend/devices/vbd-%u-%d/statistics", driver->sysDir, domid, number);
    unsigned long long readSectors = 0;
    unsigned long long writtenSectors = 0;

    if (!addValue(&sum->readRequests, "%s/rd_req", directory)) {
        return false;
    }
    addValue(&readSectors, "%s/rd_sect", directory);
    addValue(&sum->writeRequests, "%s/wr_req", directory);
    addValue(&writtenSectors, "%s/wr_sect", directory);
    addValue(&sum->flushRequests, "%s/f_req", directory);
    addValue(&sum->delayed, "%s/oo_req", directory);
    sum->readBytes += readSectors * BYTES_PER_SECTOR;
    sum->writeBytes += writtenSectors * BYTES_PER_SECTOR;
    return true;
}

static void
addDiskCounters(StubdomDiskCounters *sum, const StubdomDiskCounters *more)
{
    sum->readRequests += more->readRequests;
    sum->readBytes += more->readBytes;
    sum->writeRequests += more->writeRequests;
    sum->writeBytes += more->writeBytes;
    sum->flushRequests += more->flushRequests;
    sum->delayed += more->delayed;
}

/* libxl takes what is before a colon for a driver's name, and leaves it out. */
static bool
isBackedBy(const libxl_device_disk *disk, const char *source)
{
    const char *colon = strchr(source, ':');

    return STREQ_NULLABLE(disk->pdev_path, colon ? colon + 1 : source);
}

bool
stubdomBackendsDisk(const StubdomBackends *backends, const virDomainDiskDef *disk, StubdomDiskCounters *sum,
                    StubdomDiskCounters *stubdomain)
{
    const char *source = virDomainDiskGetSource(disk);
    bool found = addDisk(backends->driver, backends->guest, stubdomBackendDiskNumber(disk->dst), sum);

    for (int i = 0; i < backends->ndisks && source; i++) {
        StubdomDiskCounters own = {.readRequests = 0};

        if (isBackedBy(&backends->disks[i], source)) {
            found |= addDisk(backends->driver, backends->stubdomain, stubdomBackendDiskNumber(backends->disks[i].vdev),
                             &own);
            addDiskCounters(sum, &own);
            if (stubdomain) {
                addDiskCounters(stubdomain, &own);
            }
            break;
        }
    }
    return found;
}

/* --- network cards ----------------------------------------------------------------- */

/* The interface may have been renamed, so its name is looked up. */
static char *
interfaceDirectory(const StubdomDriver *driver, uint32_t domid, int number)
{
    g_autofree char *parent =
        g_strdup_printf("%s/bus/xen-backend/devices/vif-%u-%d/net", driver->sysDir, domid, number);
    g_autoptr(GDir) names = g_dir_open(parent, 0, NULL);
    const char *name = names ? g_dir_read_name(names) : NULL;

    return name ? g_strdup_printf("%s/%s/statistics", parent, name) : NULL;
}

static bool
addDirection(const char *directory, const char *which, StubdomNicCounters *sum)
{
    return addValue(&sum->bytes, "%s/%s_bytes", directory, which) &&
           addValue(&sum->packets, "%s/%s_packets", directory, which) &&
           addValue(&sum->errors, "%s/%s_errors", directory, which) &&
           addValue(&sum->dropped, "%s/%s_dropped", directory, which);
}

static bool
addNic(const StubdomBackends *backends, uint32_t domid, const libxl_device_nic *nics, int count, const virMacAddr *mac,
       StubdomNicCounters *received, StubdomNicCounters *sent)
{
    for (int i = 0; i < count; i++) {
        if (virMacAddrCmpRaw(mac, nics[i].mac) == 0) {
            g_autofree char *directory = interfaceDirectory(backends->driver, domid, nics[i].devid);

            /* What dom0 sends, the guest receives. */
            return directory && addDirection(directory, "tx", received) && addDirection(directory, "rx", sent);
        }
    }
    return false;
}

bool
stubdomBackendsNic(const StubdomBackends *backends, const virDomainNetDef *net, StubdomNicCounters *received,
                   StubdomNicCounters *sent)
{
    bool found =
        addNic(backends, backends->guest, backends->guestNics, backends->nguestNics, &net->mac, received, sent);

    return addNic(backends, backends->stubdomain, backends->nics, backends->nnics, &net->mac, received, sent) || found;
}
