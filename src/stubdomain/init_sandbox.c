/*
 * System call filter of QEMU in the stubdomain, see the header
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "init_sandbox.h"

#include <errno.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "init_filter.h"

#define X32_BIT 0x40000000U

#define DENY FILTER_RETURN(SECCOMP_RET_ERRNO | EPERM)

/* One denied call: not it → skip the return. */
#define DENIED(name) FILTER_IF_EQUAL(SYS_##name, 0, 1), DENY

static const struct sock_filter filter[] = {
    FILTER_BEGIN,
    BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1),
    DENY,

    /* Becoming somebody else. */
    DENIED(setuid),
    DENIED(setgid),
    DENIED(setreuid),
    DENIED(setregid),
    DENIED(setresuid),
    DENIED(setresgid),
    DENIED(setfsuid),
    DENIED(setfsgid),
    DENIED(setgroups),
    DENIED(capset),
    DENIED(unshare),
    DENIED(setns),
    DENIED(chroot),
    DENIED(pivot_root),
    DENIED(mount),
    DENIED(umount2),
    DENIED(ptrace),
    DENIED(process_vm_readv),
    DENIED(process_vm_writev),
    DENIED(personality),

    /* Starting processes. clone() below, as threads are needed. */
    DENIED(fork),
    DENIED(vfork),

    /* The kernel, the machine and its clock. */
    DENIED(init_module),
    DENIED(finit_module),
    DENIED(delete_module),
    DENIED(kexec_load),
    DENIED(kexec_file_load),
    DENIED(reboot),
    DENIED(swapon),
    DENIED(swapoff),
    DENIED(sethostname),
    DENIED(setdomainname),
    DENIED(settimeofday),
    DENIED(clock_settime),
    DENIED(clock_adjtime),
    DENIED(adjtimex),
    DENIED(syslog),
    DENIED(acct),
    DENIED(quotactl),
    DENIED(mknod),
    DENIED(mknodat),

    /* Large interfaces nothing here needs. */
    DENIED(bpf),
    DENIED(perf_event_open),
    DENIED(userfaultfd),
    DENIED(io_uring_setup),
    DENIED(io_uring_enter),
    DENIED(io_uring_register),
    DENIED(add_key),
    DENIED(request_key),
    DENIED(keyctl),
    DENIED(open_by_handle_at),
    DENIED(fanotify_init),
    DENIED(move_pages),
    DENIED(migrate_pages),
    DENIED(mbind),
    DENIED(set_mempolicy),

    /* glibc falls back to clone(), whose flags can be seen. */
    FILTER_IF_EQUAL(SYS_clone3, 0, 1),
    FILTER_RETURN(SECCOMP_RET_ERRNO | ENOSYS),

    FILTER_IF_EQUAL(SYS_clone, 0, 4),
    FILTER_LOAD(args[0]),
    FILTER_IF_BITS(CLONE_THREAD, 0, 1),
    FILTER_RETURN(SECCOMP_RET_ALLOW),
    DENY,

    FILTER_IF_EQUAL(SYS_socket, 0, 4),
    FILTER_LOAD(args[0]),
    FILTER_IF_EQUAL(AF_UNIX, 0, 1),
    FILTER_RETURN(SECCOMP_RET_ALLOW),
    DENY,

    FILTER_RETURN(SECCOMP_RET_ALLOW),
};

int
initSandboxEnter(void)
{
    return initFilterEnter(filter, sizeof(filter) / sizeof(filter[0]));
}
