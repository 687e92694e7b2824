/*
 * System call filter of QEMU in the stubdomain, see the header
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "init_sandbox.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define X32_BIT 0x40000000U

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (guint32)offsetof(struct seccomp_data, field))
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, (value))
#define DENY RETURN(SECCOMP_RET_ERRNO | EPERM)
#define IF_EQUAL(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (yes), (no))

/* One denied call: not it → skip the return. */
#define DENIED(name) IF_EQUAL(SYS_##name, 0, 1), DENY

static const struct sock_filter filter[] = {
    LOAD(arch),
    IF_EQUAL(AUDIT_ARCH_X86_64, 1, 0),
    RETURN(SECCOMP_RET_KILL_PROCESS),
    LOAD(nr),
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
    IF_EQUAL(SYS_clone3, 0, 1),
    RETURN(SECCOMP_RET_ERRNO | ENOSYS),

    IF_EQUAL(SYS_clone, 0, 4),
    LOAD(args[0]),
    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 1),
    RETURN(SECCOMP_RET_ALLOW),
    DENY,

    IF_EQUAL(SYS_socket, 0, 4),
    LOAD(args[0]),
    IF_EQUAL(AF_UNIX, 0, 1),
    RETURN(SECCOMP_RET_ALLOW),
    DENY,

    RETURN(SECCOMP_RET_ALLOW),
};

int
initSandboxEnter(void)
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
