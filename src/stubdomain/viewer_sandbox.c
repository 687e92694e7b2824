/*
 * System call filter of stubdom-viewer, see the header
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "viewer_sandbox.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned int)offsetof(struct seccomp_data, field))
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, (value))
#define IF_EQUAL(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (yes), (no))

/* One allowed call: not it → skip the return. */
#define ALLOWED(name) IF_EQUAL(SYS_##name, 0, 1), RETURN(SECCOMP_RET_ALLOW)

static const struct sock_filter filter[] = {
    LOAD(arch),
    IF_EQUAL(AUDIT_ARCH_X86_64, 1, 0),
    RETURN(SECCOMP_RET_KILL_PROCESS),
    LOAD(nr),

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

    IF_EQUAL(SYS_mmap, 0, 4),
    LOAD(args[2]),
    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1),
    RETURN(SECCOMP_RET_KILL_PROCESS),
    RETURN(SECCOMP_RET_ALLOW),

    /* GLib looks for files about character sets before it writes a message. */
    IF_EQUAL(SYS_openat, 0, 1),
    RETURN(SECCOMP_RET_ERRNO | EACCES),

    RETURN(SECCOMP_RET_KILL_PROCESS),
};

int
viewerSandboxEnter(void)
{
    struct sock_fprog program = {
        .len = sizeof(filter) / sizeof(filter[0]),
        .filter = (struct sock_filter *)filter,
    };

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return errno;
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
        return errno;
    return 0;
}
