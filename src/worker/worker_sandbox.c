/*
 * Confinement of the worker processes
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The order matters: descriptors first, while /dev/null can be opened; then
 * what needs root; then root is given up; then what a change of user resets
 * (death signal, dumpable); the filter last, because it forbids all the rest.
 */

#include "worker_sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The user and group of the kernel's overflow id, "nobody" and "nogroup". */
#define NOBODY 65534

/* A directory every dom0 has; hidden by the new root in this process's mount namespace only. */
#define ROOT_MOUNT_POINT "/tmp"

static bool
closeDescriptors(const WorkerSandbox *sandbox)
{
    unsigned int next = STDERR_FILENO + 1;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null < 0) {
        return false;
    }
    if (dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0) {
        return false;
    }
    for (size_t i = 0; i < sandbox->keepCount; i++) {
        unsigned int kept = (unsigned int)sandbox->keep[i];

        if (kept > next && close_range(next, kept - 1, 0) != 0) {
            return false;
        }
        next = kept + 1;
    }
    return close_range(next, ~0U, 0) == 0;
}

static bool
limitResource(__rlimit_resource_t resource, rlim_t limit)
{
    struct rlimit value = {limit, limit};

    return setrlimit(resource, &value) == 0;
}

static bool
limitResources(const WorkerSandbox *sandbox)
{
    if (WORKER_SANDBOX_SANITIZED) {
        return true;
    }
    return limitResource(RLIMIT_CORE, 0) && limitResource(RLIMIT_NOFILE, sandbox->descriptorsMax) &&
           limitResource(RLIMIT_NPROC, 0) && limitResource(RLIMIT_MEMLOCK, 0) && limitResource(RLIMIT_MSGQUEUE, 0) &&
           limitResource(RLIMIT_DATA, sandbox->memoryMax);
}

/* Who sees no other process cannot name one. A namespace of processes is entered by being born into it. */
static bool
checkAlone(const WorkerSandbox *sandbox)
{
    errno = EPERM;
    return !sandbox->alone || getpid() == 1;
}

static bool
enterNamespaces(const WorkerSandbox *sandbox)
{
    return unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP) == 0;
}

/* An empty read-only tmpfs becomes the root. An initramfs cannot be pivoted away, so it is hidden there. */
static bool
enterEmptyRoot(const WorkerSandbox *sandbox)
{
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", ROOT_MOUNT_POINT, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
              "mode=0555,nr_inodes=2") != 0 ||
        chdir(ROOT_MOUNT_POINT) != 0) {
        return false;
    }
    if (syscall(SYS_pivot_root, ".", ".") == 0) {
        return umount2(".", MNT_DETACH) == 0 && chdir("/") == 0;
    }
    return errno == EINVAL && mount(".", "/", NULL, MS_MOVE, NULL) == 0 && chroot(".") == 0 && chdir("/") == 0;
}

static bool
dropPrivileges(const WorkerSandbox *sandbox)
{
    static const unsigned long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP_LOCKED |
                                      SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |
                                      SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0, 0, 0}, {0, 0, 0}};

    for (unsigned long capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; capability++) {
        if (prctl(PR_CAPBSET_DROP, capability) != 0) {
            return false;
        }
    }
    return prctl(PR_SET_SECUREBITS, bits) == 0 && setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
           setresuid(NOBODY, NOBODY, NOBODY) == 0 && syscall(SYS_capset, &header, none) == 0;
}

static bool
setProcessFlags(const WorkerSandbox *sandbox)
{
    return (sandbox->outlives || prctl(PR_SET_PDEATHSIG, SIGKILL) == 0) &&
           prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && (WORKER_SANDBOX_SANITIZED || prctl(PR_SET_DUMPABLE, 0) == 0);
}

/* Errors were reported there until now. Standard input is /dev/null already. */
static bool
leaveStandardError(const WorkerSandbox *sandbox)
{
    return dup2(STDIN_FILENO, STDERR_FILENO) >= 0;
}

/* What every worker calls, without a condition. */
static const int commonCalls[] = {
    SCMP_SYS(read),         SCMP_SYS(write),         SCMP_SYS(close),
    SCMP_SYS(poll),         SCMP_SYS(ppoll),         SCMP_SYS(recvmsg),
    SCMP_SYS(sendto),       SCMP_SYS(munmap),        SCMP_SYS(brk),
    SCMP_SYS(exit_group),   SCMP_SYS(exit),          SCMP_SYS(restart_syscall),
    SCMP_SYS(rt_sigreturn), SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep),
};

static int
allowCalls(scmp_filter_ctx filter, const int *calls, size_t count)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++) {
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
    }
    return rc;
}

static bool
fillFilter(scmp_filter_ctx filter, const WorkerSandbox *sandbox)
{
    int rc = allowCalls(filter, commonCalls, sizeof(commonCalls) / sizeof(commonCalls[0]));

    if (rc == 0) {
        rc = allowCalls(filter, sandbox->calls, sandbox->callCount);
    }
    for (size_t i = 0; rc == 0 && i < sandbox->deviceRequestCount; i++) {
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
                              SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, sandbox->deviceRequests[i]));
    }
    /* Memory is never executable. */
    if (rc == 0) {
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    }
    if (rc == 0 && sandbox->socketPairs) {
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socketpair), 1, SCMP_A0(SCMP_CMP_EQ, AF_UNIX, 0));
    }
    if (rc == 0) {
        rc = seccomp_load(filter);
    }
    if (rc != 0) {
        errno = -rc;
    }
    return rc == 0;
}

static bool
filterSystemCalls(const WorkerSandbox *sandbox)
{
    scmp_filter_ctx filter;
    bool loaded;

    if (WORKER_SANDBOX_SANITIZED) {
        return true;
    }
    filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    if (!filter) {
        errno = ENOMEM;
        return false;
    }
    loaded = fillFilter(filter, sandbox);
    seccomp_release(filter);
    return loaded;
}

static const struct {
    const char *what;
    bool (*run)(const WorkerSandbox *sandbox);
} steps[] = {
    {"close descriptors", closeDescriptors},     {"limit resources", limitResources},
    {"be alone in a PID namespace", checkAlone}, {"enter namespaces", enterNamespaces},
    {"enter an empty root", enterEmptyRoot},     {"drop privileges", dropPrivileges},
    {"set process flags", setProcessFlags},      {"leave standard error", leaveStandardError},
    {"filter system calls", filterSystemCalls},
};

bool
workerSandboxEnter(const WorkerSandbox *sandbox, const char **step)
{
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        *step = steps[i].what;
        if (!steps[i].run(sandbox)) {
            return false;
        }
    }
    return true;
}
