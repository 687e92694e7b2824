/*
 * A system call filter, see the header
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "init_filter.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int
initFilterEnter(const struct sock_filter *filter, unsigned short count)
{
    struct sock_fprog program = {.len = count, .filter = (struct sock_filter *)filter};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return errno;
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
        return errno;
    return 0;
}
