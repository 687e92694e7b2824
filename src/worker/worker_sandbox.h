/*
 * Confinement of the worker processes
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Takes everything from the process but the descriptors it works with: file
 * system, network, privileges and system calls. It cannot be undone, has no
 * switch, and fails as a whole: a worker that cannot be confined does not run.
 *
 * The workers are those processes of dom0 that touch what a stubdomain shares
 * with it: the console worker and the display. What each needs beyond the
 * common (system calls, requests to Xen's devices, memory) it says itself.
 *
 * A build with sanitizers leaves out resource limits, PR_SET_DUMPABLE and the
 * system call filter, which the sanitizers' run-time cannot live with. Such a
 * build is for tests.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__SANITIZE_ADDRESS__)
#define WORKER_SANDBOX_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define WORKER_SANDBOX_SANITIZED 1
#endif
#endif
#ifndef WORKER_SANDBOX_SANITIZED
#define WORKER_SANDBOX_SANITIZED 0
#endif

/* What a worker keeps. */
typedef struct {
    const int *keep; /* descriptors that stay open, ascending, all above 2; 0, 1 and 2 become /dev/null */
    size_t keepCount;
    uint64_t descriptorsMax; /* open at a time */
    uint64_t memoryMax;      /* bytes of its own */
    const int *calls;        /* system calls beside those all workers have */
    size_t callCount;
    const uint32_t *deviceRequests; /* numbers of ioctl() */
    size_t deviceRequestCount;
    bool socketPairs; /* may make pairs of unix sockets */
    bool alone;       /* is process 1 of a PID namespace, which its parent has made */
    bool outlives;    /* goes on when its parent has died; it must then end by itself */
} WorkerSandbox;

/**
 * workerSandboxEnter:
 * @sandbox: what stays
 * @step: (out) (transfer none): on failure, what failed
 *
 * Needs root. Afterwards the process is nobody without capabilities, in mount,
 * network, IPC, UTS and cgroup (and PID) namespaces of its own with an empty read-only
 * root, may hold few descriptors and start no process, dies with its parent
 * if it is not to outlive it, and is killed at the first system call that @sandbox does not have.
 *
 * Returns: false with errno set; the process must end then
 */
bool workerSandboxEnter(const WorkerSandbox *sandbox, const char **step);
