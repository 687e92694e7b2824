/*
 * A system call filter and what it is written with
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The classic BPF of seccomp(2). Filters of the programs in the stubdomain are
 * constant, so that one can be set between fork() and execve(), and need no
 * library in the image.
 */

#pragma once

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>

#define FILTER_LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned int)offsetof(struct seccomp_data, field))
#define FILTER_RETURN(value) BPF_STMT(BPF_RET | BPF_K, (value))
#define FILTER_IF_EQUAL(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (yes), (no))
#define FILTER_IF_BITS(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (value), (yes), (no))

/* How each begins: what is no system call of x86_64 ends the process; the number is at hand afterwards. */
#define FILTER_BEGIN                                                                                                   \
    FILTER_LOAD(arch), FILTER_IF_EQUAL(AUDIT_ARCH_X86_64, 1, 0), FILTER_RETURN(SECCOMP_RET_KILL_PROCESS),              \
        FILTER_LOAD(nr)

/**
 * initFilterEnter:
 *
 * Sets no_new_privs and the filter for the calling process and all it will
 * become. Async-signal-safe.
 *
 * Returns: 0 or an errno
 */
int initFilterEnter(const struct sock_filter *filter, unsigned short count);
