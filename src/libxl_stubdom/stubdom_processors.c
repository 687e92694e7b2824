/*
 * How busy the host's processors are
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Xen counts how long each processor was idle (XEN_SYSCTL_getcpuinfo), which
 * libxl does not pass on, so this is one of libxenctrl's calls. The rest of the time since dom0
 * was booted went to domains, dom0's own among them. Which of it was a kernel's
 * nobody knows: all of it is "user". dom0's clock starts a little after Xen's,
 * which shifts "user" by a constant.
 */

#include "stubdom_compat.h"

#include "stubdom_processors.h"

#include <time.h>
#include <xenctrl.h>

#include "virstring.h"

#define NANOSECONDS 1000000000ULL

typedef struct {
    unsigned long long idle;
    unsigned long long busy;
} Times;

/* In the order they are filled in. */
static const char *const names[] = {VIR_NODE_CPU_STATS_KERNEL, VIR_NODE_CPU_STATS_USER, VIR_NODE_CPU_STATS_IDLE,
                                    VIR_NODE_CPU_STATS_IOWAIT};

static int
readIdle(xc_cpuinfo_t *info, int count)
{
    xc_interface *xen = xc_interface_open(NULL, NULL, 0);
    int found = 0;
    int rc = xen ? xc_getcpuinfo(xen, count, info, &found) : -1;

    if (rc < 0) {
        virReportSystemError(errno, "%s", _("Xen does not tell how busy the host's processors are"));
    }
    if (xen) {
        xc_interface_close(xen);
    }
    return rc < 0 ? -1 : MIN(found, count);
}

static unsigned long long
uptime(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (unsigned long long)now.tv_sec * NANOSECONDS + (unsigned long long)now.tv_nsec;
}

static int
addTimes(const libxl_cputopology *topology, int count, int cpu, Times *times)
{
    g_autofree xc_cpuinfo_t *info = g_new0(xc_cpuinfo_t, count);
    unsigned long long since = uptime();
    int found = readIdle(info, count);
    bool any = false;

    for (int i = 0; i < found; i++) {
        if (topology[i].core != LIBXL_CPUTOPOLOGY_INVALID_ENTRY && (cpu == VIR_NODE_CPU_STATS_ALL_CPUS || cpu == i)) {
            times->idle += info[i].idletime;
            times->busy += since > info[i].idletime ? since - info[i].idletime : 0;
            any = true;
        }
    }
    if (found >= 0 && !any) {
        virReportError(VIR_ERR_INVALID_ARG, _("the host has no processor %d, or it is offline"), cpu);
    }
    return any ? 0 : -1;
}

int
stubdomProcessorsStats(const StubdomDriver *driver, int cpu, virNodeCPUStatsPtr params, int *count)
{
    Times times = {0, 0};
    libxl_cputopology *topology = NULL;
    int processors = 0;
    int result = -1;

    if (*count == 0) {
        *count = G_N_ELEMENTS(names);
        return 0;
    }
    if (!(topology = libxl_get_cpu_topology(driver->libxl->ctx, &processors))) {
        stubdomLibxlError(driver->libxl, ERROR_FAIL, _("Xen does not tell about the host's processors"));
        return -1;
    }
    if ((result = addTimes(topology, processors, cpu, &times)) == 0) {
        const unsigned long long values[G_N_ELEMENTS(names)] = {0, times.busy, times.idle, 0};

        for (int i = 0; i < MIN(*count, (int)G_N_ELEMENTS(names)) && result == 0; i++) {
            result = virStrcpyStatic(params[i].field, names[i]);
            params[i].value = values[i];
        }
    }
    libxl_cputopology_list_free(topology, processors);
    return result;
}
