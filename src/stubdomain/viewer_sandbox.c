/*
 * System call filter of stubdom-viewer, see the header
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "viewer_sandbox.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "init_filter.h"

/* One allowed call: not it → skip the return. */
#define ALLOWED(name) FILTER_IF_EQUAL(SYS_##name, 0, 1), FILTER_RETURN(SECCOMP_RET_ALLOW)

static const struct sock_filter filter[] = {
    FILTER_BEGIN,

    /* The work: socket, event channel, framebuffer. */
    ALLOWED(poll),
    ALLOWED(ppoll),
    ALLOWED(read),
    ALLOWED(readv),
    ALLOWED(write),
    ALLOWED(sendto),
    ALLOWED(ioctl),

    /* The C library: memory that is not to be run, time, the end. */
    ALLOWED(brk),
    ALLOWED(munmap),
    ALLOWED(mremap),
    ALLOWED(madvise),
    ALLOWED(futex),
    ALLOWED(clock_gettime),
    ALLOWED(rt_sigreturn),
    ALLOWED(rt_sigprocmask),
    ALLOWED(restart_syscall),
    ALLOWED(getpid),
    ALLOWED(gettid),
    ALLOWED(tgkill),
    ALLOWED(exit),
    ALLOWED(exit_group),

    FILTER_IF_EQUAL(SYS_mmap, 0, 4),
    FILTER_LOAD(args[2]),
    FILTER_IF_BITS(PROT_EXEC, 0, 1),
    FILTER_RETURN(SECCOMP_RET_KILL_PROCESS),
    FILTER_RETURN(SECCOMP_RET_ALLOW),

    /* GLib looks for files about character sets before it writes a message. */
    FILTER_IF_EQUAL(SYS_openat, 0, 1),
    FILTER_RETURN(SECCOMP_RET_ERRNO | EACCES),

    FILTER_RETURN(SECCOMP_RET_KILL_PROCESS),
};

int
viewerSandboxEnter(void)
{
    return initFilterEnter(filter, sizeof(filter) / sizeof(filter[0]));
}
