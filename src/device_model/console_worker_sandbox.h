/*
 * Confinement of the console worker
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Takes everything from the process but the descriptors it works with: file
 * system, network, privileges and system calls. It cannot be undone, has no
 * switch, and fails as a whole: a worker that cannot be confined does not run.
 *
 * What it cannot take: /dev/xen/gntdev maps any page that any domain granted to
 * dom0, since the driver knows no restriction to one domain (the event channel
 * driver does, and it is used).
 *
 * A build with sanitizers leaves out resource limits, PR_SET_DUMPABLE and the
 * system call filter, which the sanitizers' run-time cannot live with. Such a
 * build is for tests.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#define CONSOLE_SANDBOX_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define CONSOLE_SANDBOX_SANITIZED 1
#endif
#endif
#ifndef CONSOLE_SANDBOX_SANITIZED
#define CONSOLE_SANDBOX_SANITIZED 0
#endif

/**
 * consoleSandboxEnter:
 * @keep: descriptors that stay open, ascending, all above 2; standard input,
 *   output and error become /dev/null
 * @count: how many
 * @step: (out) (transfer none): on failure, what failed
 *
 * Needs root. Afterwards the process is nobody without capabilities, in mount,
 * network, IPC, UTS and cgroup namespaces of its own with an empty read-only
 * root, may hold few descriptors and start no process, dies with its parent,
 * and is killed at the first system call that moving bytes does not need.
 *
 * Returns: false with errno set; the process must end then
 */
bool consoleSandboxEnter(const int *keep, size_t count, const char **step);
