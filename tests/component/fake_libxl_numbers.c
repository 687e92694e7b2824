/*
 * Preloaded into the libvirt driver: the host's and domains' numbers without a hypervisor
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Part of fake-libxl.so: what libxl is asked, and told, about processors and
 * memory goes to the test process (harness/numbers.py), which answers with
 * libxl's own JSON, one object a line.
 *
 * Request: "NAME NUMBER…\nJSON". Answer: "RC VALUE\n" and the lines.
 */

#include "fake_libxl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxl.h>
#include <libxl_utils.h>
#include <xenctrl.h>

#define BITS_MAX 1024

/* Returns the call's rc; *@rest: the lines, or NULL. */
static int __attribute__((format(printf, 4, 5)))
ask(long *value, char **rest, const char *json, const char *format, ...)
{
    va_list list;
    int fd;

    va_start(list, format);
    fd = fakeSend(json, format, list);
    va_end(list);
    return fakeReceiveLines(NULL, fd, value, rest);
}

/* The next line that is not empty, or NULL. */
static char *
nextLine(char **rest)
{
    char *line = NULL;

    while (*rest && (line = strsep(rest, "\n")) && !*line) {
    }
    return line && *line ? line : NULL;
}

/* @map as a JSON list of its bits. */
static const char *
bitsToJson(const libxl_bitmap *map, char *json, size_t size)
{
    size_t used = (size_t)snprintf(json, size, "[");

    for (int i = 0; map && i < (int)map->size * 8; i++) {
        if (libxl_bitmap_test(map, i)) {
            used += (size_t)snprintf(json + used, size - used, "%s%d", used > 1 ? "," : "", i);
        }
    }
    snprintf(json + used, size - used, "]");
    return json;
}

/* --- the host -------------------------------------------------------------- */

int
libxl_get_physinfo(libxl_ctx *ctx, libxl_physinfo *info)
{
    char *rest = NULL;
    long value = 0;
    int rc = ask(&value, &rest, NULL, "libxl_get_physinfo");
    const char *line = rc ? NULL : nextLine(&rest);

    return line ? libxl_physinfo_from_json(ctx, info, line) : ERROR_FAIL;
}

/* A list of libxl's: as many as the value says. */
#define FAKE_LIST(type, request, name)                                                                                 \
    do {                                                                                                               \
        char *rest = NULL;                                                                                             \
        long value = 0;                                                                                                \
        type *list = NULL;                                                                                             \
                                                                                                                       \
        if (request != 0 || value <= 0 || !(list = calloc((size_t)value, sizeof(*list)))) {                            \
            return NULL;                                                                                               \
        }                                                                                                              \
        *count = (int)value;                                                                                           \
        for (long i = 0; i < value; i++) {                                                                             \
            const char *line = nextLine(&rest);                                                                        \
                                                                                                                       \
            name##_init(&list[i]);                                                                                     \
            if (!line || name##_from_json(ctx, &list[i], line) != 0) {                                                 \
                fprintf(stderr, "fake-libxl: no %s: %s\n", #name, line ? line : "");                                   \
                abort();                                                                                               \
            }                                                                                                          \
        }                                                                                                              \
        return list;                                                                                                   \
    } while (0)

libxl_cputopology *
libxl_get_cpu_topology(libxl_ctx *ctx, int *count)
{
    FAKE_LIST(libxl_cputopology, ask(&value, &rest, NULL, "libxl_get_cpu_topology"), libxl_cputopology);
}

libxl_numainfo *
libxl_get_numainfo(libxl_ctx *ctx, int *count)
{
    FAKE_LIST(libxl_numainfo, ask(&value, &rest, NULL, "libxl_get_numainfo"), libxl_numainfo);
}

int
xc_get_max_cpus(xc_interface *xch)
{
    char *rest = NULL;
    long value = 0;

    return ask(&value, &rest, NULL, "xc_get_max_cpus") ? -1 : (int)value;
}

int
xc_get_max_nodes(xc_interface *xch)
{
    char *rest = NULL;
    long value = 0;

    return ask(&value, &rest, NULL, "xc_get_max_nodes") ? -1 : (int)value;
}

/* A line a processor: nanoseconds. */
int
xc_getcpuinfo(xc_interface *xch, int most, xc_cpuinfo_t *info, int *count)
{
    char *rest = NULL;
    long value = 0;
    const char *line;

    if (ask(&value, &rest, NULL, "xc_getcpuinfo") != 0) {
        errno = EFAULT;
        return -1;
    }
    for (*count = 0; *count < most && (line = nextLine(&rest)); (*count)++) {
        info[*count].idletime = strtoull(line, NULL, 10);
    }
    return 0;
}

int
libxl_get_scheduler(libxl_ctx *ctx)
{
    char *rest = NULL;
    long value = 0;
    int rc = ask(&value, &rest, NULL, "libxl_get_scheduler");

    return rc ? rc : (int)value;
}

/* --- a domain -------------------------------------------------------------- */

libxl_vcpuinfo *
libxl_list_vcpu(libxl_ctx *ctx, uint32_t domid, int *count, int *processors)
{
    *processors = xc_get_max_cpus(NULL);
    FAKE_LIST(libxl_vcpuinfo, ask(&value, &rest, NULL, "libxl_list_vcpu %u", domid), libxl_vcpuinfo);
}

int
libxl_set_vcpuaffinity(libxl_ctx *ctx, uint32_t domid, uint32_t vcpu, const libxl_bitmap *hard,
                       const libxl_bitmap *soft)
{
    char json[BITS_MAX * 5];
    char *rest = NULL;
    long value = 0;

    return ask(&value, &rest, bitsToJson(hard, json, sizeof(json)), "libxl_set_vcpuaffinity %u %u", domid, vcpu);
}

int
libxl_set_vcpuaffinity_all(libxl_ctx *ctx, uint32_t domid, unsigned int most, const libxl_bitmap *hard,
                           const libxl_bitmap *soft)
{
    for (unsigned int i = 0; i < most; i++) {
        int rc = libxl_set_vcpuaffinity(ctx, domid, i, hard, soft);

        if (rc) {
            return rc;
        }
    }
    return 0;
}

int
libxl_set_vcpuonline(libxl_ctx *ctx, uint32_t domid, libxl_bitmap *online, const libxl_asyncop_how *how)
{
    char json[BITS_MAX * 5];
    char *rest = NULL;
    long value = 0;

    return ask(&value, &rest, bitsToJson(online, json, sizeof(json)), "libxl_set_vcpuonline %u", domid);
}

int
libxl_domain_sched_params_get(libxl_ctx *ctx, uint32_t domid, libxl_domain_sched_params *params)
{
    char *rest = NULL;
    long value = 0;
    int rc = ask(&value, &rest, NULL, "libxl_domain_sched_params_get %u", domid);
    const char *line = rc ? NULL : nextLine(&rest);

    return line ? libxl_domain_sched_params_from_json(ctx, params, line) : rc;
}

int
libxl_domain_sched_params_set(libxl_ctx *ctx, uint32_t domid, const libxl_domain_sched_params *params)
{
    char *json = libxl_domain_sched_params_to_json(ctx, (libxl_domain_sched_params *)params);
    char *rest = NULL;
    long value = 0;
    int rc = ask(&value, &rest, json, "libxl_domain_sched_params_set %u", domid);

    free(json);
    return rc;
}

int
libxl_domain_setmaxmem(libxl_ctx *ctx, uint32_t domid, uint64_t most)
{
    char *rest = NULL;
    long value = 0;

    return ask(&value, &rest, NULL, "libxl_domain_setmaxmem %u %llu", domid, (unsigned long long)most);
}

int
libxl_set_memory_target(libxl_ctx *ctx, uint32_t domid, int64_t target, int relative, int enforce)
{
    char *rest = NULL;
    long value = 0;

    return ask(&value, &rest, NULL, "libxl_set_memory_target %u %lld %d %d", domid, (long long)target, relative,
               enforce);
}

/* The value has the nodes' bits. */
int
libxl_domain_get_nodeaffinity(libxl_ctx *ctx, uint32_t domid, libxl_bitmap *nodes)
{
    char *rest = NULL;
    long value = 0;
    int rc = ask(&value, &rest, NULL, "libxl_domain_get_nodeaffinity %u", domid);

    for (int i = 0; rc == 0 && i < (int)nodes->size * 8 && i < 63; i++) {
        if (value & (1L << i)) {
            libxl_bitmap_set(nodes, i);
        }
    }
    return rc;
}
