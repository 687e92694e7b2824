/*
 * Preloaded into the libvirt driver: libxl's save and restore without a hypervisor
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Part of fake-libxl.so: the descriptor of the stream goes to the test process
 * with the request (SCM_RIGHTS), which reads or writes it (harness/libxl_save.py),
 * as libxl's helper process does.
 */

#include "fake_hypervisor.h"
#include "fake_libxl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Sends @text, with @passed unless that is -1. */
static void
sendRequest(int fd, char *text, int passed)
{
    char control[CMSG_SPACE(sizeof(int))] = "";
    struct iovec part = {.iov_base = text, .iov_len = strlen(text)};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

    if (passed >= 0) {
        struct cmsghdr *header;

        message.msg_control = control;
        message.msg_controllen = sizeof(control);
        header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &passed, sizeof(passed));
    }
    if (fd < 0 || sendmsg(fd, &message, 0) < 0) {
        perror("fake-libxl: cannot reach the test process");
        abort();
    }
}

/* Returns the call's rc, its value in *@value, and logs what comes with it. */
static int
ask(libxl_ctx *ctx, char *text, int passed, long *value)
{
    int fd = fakeConnect("toolstack");

    sendRequest(fd, text, passed);
    return fakeReceive(ctx, fd, value);
}

int
libxl_domain_suspend(libxl_ctx *ctx, uint32_t domid, int fd, int flags, const libxl_asyncop_how *how)
{
    char text[128];
    long value = 0;

    snprintf(text, sizeof(text), "libxl_domain_suspend %u %d\nnull", domid, flags);
    return ask(ctx, text, fd, &value);
}

int
libxl_domain_create_restore(libxl_ctx *ctx, libxl_domain_config *config, uint32_t *domid, int fd, int back,
                            const libxl_domain_restore_params *params, const libxl_asyncop_how *how,
                            const libxl_asyncprogress_how *consoleHow)
{
    char *json = libxl_domain_config_to_json(ctx, config);
    size_t size = strlen(json) + 128;
    char *text = malloc(size);
    long value = 0;
    int rc;

    snprintf(text, size, "libxl_domain_create_restore %u\n%s", params->stream_version, json);
    rc = ask(ctx, text, fd, &value);
    if (rc == 0) {
        *domid = (uint32_t)value;
    }
    free(text);
    free(json);
    return rc;
}
