/*
 * What the programs of the confined processes have in common
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "worker_program.h"

#include <errno.h>
#include <libintl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static void
ignoreMessage(struct xentoollog_logger *logger, xentoollog_level level, int errnoval, const char *context,
              const char *format, va_list arguments)
{
}

static void
ignoreDestroy(struct xentoollog_logger *logger)
{
}

struct xentoollog_logger workerSilentLogger = {.vmessage = ignoreMessage, .destroy = ignoreDestroy};

void
workerUseLocale(void)
{
    setlocale(LC_ALL, "");
    bindtextdomain(GETTEXT_PACKAGE, LOCALEDIR);
    textdomain(GETTEXT_PACKAGE);
}

_Noreturn void
workerFail(const char *program, const char *what, const char *detail)
{
    workerUseLocale();
    fprintf(stderr, "%s: %s: %s\n", program, gettext(what), detail);
    exit(EXIT_FAILURE);
}

/* Returns the descriptor that came along, or -1. */
static int
takeDescriptor(struct msghdr *message)
{
    int fd = -1;

    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
        if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_RIGHTS && part->cmsg_len == CMSG_LEN(sizeof(fd))) {
            memcpy(&fd, CMSG_DATA(part), sizeof(fd));
        }
    }
    return fd;
}

ssize_t
workerReceive(int socket, void *data, size_t size, int *fd)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {data, size};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
    ssize_t count;

    *fd = -1;
    do {
        count = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    } while (count < 0 && errno == EINTR);
    if (count <= 0) {
        return 0;
    }
    *fd = takeDescriptor(&message);
    return message.msg_flags & (MSG_TRUNC | MSG_CTRUNC) ? -1 : count;
}
