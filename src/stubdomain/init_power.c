/*
 * End of the stubdomain, see the header
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "init_power.h"

/* Xen's headers mean the hypercalls of Xen 3.0 unless told otherwise, and sched_op had other arguments then. */
#define __XEN_INTERFACE_VERSION__ 0x00040e00

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <unistd.h>
#include <xen/sched.h>
#include <xen/sys/privcmd.h>
#include <xen/xen.h>

#include "init_log.h"

G_STATIC_ASSERT(__HYPERVISOR_sched_op == 29);

/* Whoever starts this program as PID 1 of a container must not lose the machine by it. */
static void
leaveUnlessXen(void)
{
    g_autofree char *type = NULL;

    if (!g_file_get_contents("/sys/hypervisor/type", &type, NULL, NULL) || !g_str_equal(g_strchomp(type), "xen")) {
        initLog("this is no Xen domain");
        _exit(2);
    }
}

static void waitForEnd(void) G_GNUC_NORETURN;

static void
waitForEnd(void)
{
    for (;;)
        pause();
}

void
initPowerOff(void)
{
    leaveUnlessXen();
    initLogDrain();
    sync();
    reboot(RB_POWER_OFF);
    initLog("cannot power off: %s", g_strerror(errno));
    waitForEnd();
}

static void
crashByHypercall(void)
{
    privcmd_hypercall_t call = {.op = __HYPERVISOR_sched_op};
    sched_shutdown_t reason = {.reason = SHUTDOWN_crash};
    int fd = open("/dev/xen/privcmd", O_RDWR | O_CLOEXEC);

    if (fd < 0)
        return;
    /* Xen reads the structure through the page tables: its page must be there. */
    (void)mlock(&reason, sizeof(reason));
    call.arg[0] = SCHEDOP_shutdown;
    call.arg[1] = (uintptr_t)&reason;
    if (ioctl(fd, IOCTL_PRIVCMD_HYPERCALL, &call) < 0)
        initLog("Xen cannot be told of the crash: %s", g_strerror(errno));
    close(fd);
}

void
initPowerCrash(void)
{
    int fd = -1;

    leaveUnlessXen();
    initLogDrain();
    sync();
    crashByHypercall();

    fd = open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "c", 1) < 0)
        initPowerOff();
    waitForEnd();
}
