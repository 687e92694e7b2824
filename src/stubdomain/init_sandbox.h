/*
 * System call filter of QEMU in the stubdomain
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Debian's QEMU for Xen is built without seccomp, so `-sandbox on` is refused
 * by it; this filter stands in its place and holds for every QEMU. It is a
 * list of what is denied, with EPERM: becoming another user, starting
 * processes, changing the kernel or the time, the kernel's larger and rarely
 * needed interfaces, and every network but AF_UNIX. It is no allow-list: QEMU
 * and its libraries change with each release and a missing call would kill a
 * guest. execve() stays allowed, as the filter is in place before it: there is
 * no set-user-ID program in the image and no way to fork.
 */

#pragma once

#include <glib.h>

/**
 * initSandboxEnter:
 *
 * Sets no_new_privs and the filter for the calling process and all it will
 * become. Async-signal-safe: for a child between fork() and execve().
 *
 * Returns: 0 or an errno
 */
int initSandboxEnter(void);
