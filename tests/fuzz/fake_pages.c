/*
 * Pages of a stubdomain for fuzz targets
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "fake_pages.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xenevtchn.h>
#include <xenforeignmemory.h>

#define PAGE 4096U

static int file = -1;
static uint8_t *pages;
static int mapped;

static void
prepare(void)
{
    if (pages) {
        return;
    }
    file = memfd_create("pages", MFD_CLOEXEC);
    if (file < 0 || ftruncate(file, (off_t)FAKE_PAGES * PAGE) != 0) {
        abort();
    }
    pages = mmap(NULL, (size_t)FAKE_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (pages == MAP_FAILED) {
        abort();
    }
}

uint8_t *
fakePage(unsigned int number)
{
    prepare();
    return pages + (size_t)number * PAGE;
}

int
fakePagesMapped(void)
{
    return mapped;
}

void
fakePagesClear(void)
{
    prepare();
    memset(pages, 0, (size_t)FAKE_PAGES * PAGE);
}

void *
xenforeignmemory_map(xenforeignmemory_handle *handle, uint32_t domain, int protection, size_t count,
                     const xen_pfn_t frames[], int errors[])
{
    char *memory;

    prepare();
    for (size_t i = 0; i < count; i++) {
        if (frames[i] >= FAKE_PAGES) {
            errno = EINVAL;
            return NULL;
        }
    }
    memory = mmap(NULL, count * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        if (mmap(memory + i * PAGE, PAGE, protection, MAP_SHARED | MAP_FIXED, file, (off_t)frames[i] * (off_t)PAGE) ==
            MAP_FAILED) {
            abort();
        }
    }
    mapped++;
    return memory;
}

int
xenforeignmemory_unmap(xenforeignmemory_handle *handle, void *memory, size_t count)
{
    mapped--;
    return munmap(memory, count * PAGE);
}

xenevtchn_port_or_error_t
xenevtchn_bind_interdomain(xenevtchn_handle *handle, uint32_t domain, evtchn_port_t port)
{
    errno = ENOSPC;
    return port > 0xffff ? -1 : 1 + (int)port % 2;
}

int
xenevtchn_unbind(xenevtchn_handle *handle, evtchn_port_t port)
{
    return 0;
}

int
xenevtchn_notify(xenevtchn_handle *handle, evtchn_port_t port)
{
    return 0;
}
