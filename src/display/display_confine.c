/*
 * What the display keeps when it confines itself
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * System calls are those of the event loop, of connections that others listen
 * for, and of libvncserver's encoders; requests to devices those of the two
 * libraries of Xen for devices that are restricted to the stubdomain already.
 */

#include "display_confine.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdint.h>
#include <sys/ioctl.h>

#include <xen/xen.h>
#include <xen/sys/evtchn.h>
#include <xen/sys/privcmd.h>

#include "device_model/display_message.h"
#include "display_lobby.h"
#include "worker/worker_sandbox.h"

/* Open at a time: what is open already, listeners, connections, and a few in transit. */
#define DESCRIPTORS_OWN 16U
#define DESCRIPTORS_MAX (DESCRIPTORS_OWN + DISPLAY_LISTENERS_MAX + DISPLAY_LOBBY_MAX + DISPLAY_VIEWERS_MAX + 8U)

/* Bytes for everything but the picture and the list of the stubdomain's pages; each viewer has up to a megabyte. */
#define MEMORY_BASE (32UL << 20)

static const int calls[] = {
    SCMP_SYS(accept4),    SCMP_SYS(dup2),   SCMP_SYS(epoll_ctl),    SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait),
    SCMP_SYS(fcntl),      SCMP_SYS(futex),  SCMP_SYS(getpeername),  SCMP_SYS(getrandom),  SCMP_SYS(gettimeofday),
    SCMP_SYS(madvise),    SCMP_SYS(mremap), SCMP_SYS(pselect6),     SCMP_SYS(recvfrom),   SCMP_SYS(select),
    SCMP_SYS(setsockopt), SCMP_SYS(time),   SCMP_SYS(clock_getres), SCMP_SYS(getpid),     SCMP_SYS(newfstatat),
};

static const uint32_t deviceRequests[] = {
    (uint32_t)IOCTL_PRIVCMD_MMAPBATCH, (uint32_t)IOCTL_PRIVCMD_MMAPBATCH_V2, (uint32_t)IOCTL_EVTCHN_BIND_INTERDOMAIN,
    (uint32_t)IOCTL_EVTCHN_UNBIND,     (uint32_t)IOCTL_EVTCHN_NOTIFY,
};

bool
displayConfine(uint64_t memory, const char **step)
{
    int keep[DESCRIPTORS_OWN];
    size_t count = 0;
    WorkerSandbox sandbox = {
        .keep = keep,
        .descriptorsMax = DESCRIPTORS_MAX,
        .memoryMax = MEMORY_BASE + memory + memory / 256,
        .calls = calls,
        .callCount = sizeof(calls) / sizeof(calls[0]),
        .deviceRequests = deviceRequests,
        .deviceRequestCount = sizeof(deviceRequests) / sizeof(deviceRequests[0]),
        .socketPairs = true,
        .alone = true,
    };

    for (int fd = DISPLAY_WORKER_FD; fd < DISPLAY_WORKER_FD + (int)DESCRIPTORS_OWN; fd++) {
        if (fcntl(fd, F_GETFD) >= 0) {
            keep[count++] = fd;
        }
    }
    sandbox.keepCount = count;
    return workerSandboxEnter(&sandbox, step);
}
