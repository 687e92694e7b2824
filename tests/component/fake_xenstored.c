/*
 * Preloaded into the stock xenstored, so that it runs without Xen
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * xenstored asks the kernel for dom0's page and port (/proc/xen) and Xen
 * whether a domain lives. Here a domain is a file, $FAKEXEN_DIR/domains/DOMID,
 * that holds one word: "running", "paused", "shutdown" or "dying". The rest of
 * what it needs is in fake_hypervisor.c. Nothing of xenstored itself is
 * replaced: the tree, permissions, watches, transactions and quotas are real.
 */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xenctrl.h>

#define DOM0_PORT "1"
#define DOM0_PAGE_SIZE 4096

/* What /proc/xen/xsd_port and xsd_kva would be. */
static int
openContent(const char *content)
{
    int fd = memfd_create("fake-xenstored", MFD_CLOEXEC);
    size_t length = strlen(content);

    if (fd < 0) {
        return -1;
    }
    if (length ? pwrite(fd, content, length, 0) != (ssize_t)length : ftruncate(fd, DOM0_PAGE_SIZE) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* The C library has two names for it, and its headers may make one the other. */
int fakeOpen(const char *path, int flags, ...) __asm__("open");
int fakeOpen64(const char *path, int flags, ...) __asm__("open64");

static int
openAny(const char *symbol, const char *path, int flags, mode_t mode)
{
    int (*real)(const char *, int, ...) = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, symbol);

    if (strcmp(path, "/proc/xen/xsd_port") == 0) {
        return openContent(DOM0_PORT);
    }
    if (strcmp(path, "/proc/xen/xsd_kva") == 0) {
        return openContent("");
    }
    return real(path, flags, mode);
}

/* The mode is an argument only of calls that create; the others ignore what is in its place. */
int
fakeOpen(const char *path, int flags, ...)
{
    va_list list;
    mode_t mode;

    va_start(list, flags);
    mode = va_arg(list, mode_t);
    va_end(list);
    return openAny("open", path, flags, mode);
}

int
fakeOpen64(const char *path, int flags, ...)
{
    va_list list;
    mode_t mode;

    va_start(list, flags);
    mode = va_arg(list, mode_t);
    va_end(list);
    return openAny("open64", path, flags, mode);
}

xc_interface *
xc_interface_open(xentoollog_logger *logger, xentoollog_logger *buildLogger, unsigned int flags)
{
    return calloc(1, 1);
}

int
xc_interface_close(xc_interface *xch)
{
    free(xch);
    return 0;
}

/* Reads the word of a domain. Returns the number of domains found, as libxenctrl. */
int
xc_domain_getinfo(xc_interface *xch, uint32_t domid, unsigned int max, xc_dominfo_t *info)
{
    char path[4096];
    char word[16] = "";
    FILE *file;

    memset(info, 0, sizeof(*info));
    info->domid = (uint16_t)domid;
    if (domid == 0) {
        info->running = 1;
        return 1;
    }
    snprintf(path, sizeof(path), "%s/domains/%u", getenv("FAKEXEN_DIR"), domid);
    file = fopen(path, "re");
    if (!file) {
        errno = ESRCH;
        return -1;
    }
    if (fscanf(file, "%15s", word) != 1) {
        word[0] = '\0';
    }
    fclose(file);
    info->dying = strcmp(word, "dying") == 0;
    info->shutdown = strcmp(word, "shutdown") == 0;
    info->running = !info->dying && !info->shutdown;
    return 1;
}
