/*
 * A guest and its stubdomain in Xen
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libxl destroys the stubdomain with the guest, as xen-stubdom-dm registers it
 * (image/device-model-domid). It pauses only what it is told to.
 */

#include "stubdom_compat.h"

#include "stubdom_guest.h"

#include <fcntl.h>
#include <libxl_utils.h>
#include <unistd.h>

#include "virfile.h"

/* Bytes read from the end of a log, and lines of them that are quoted. */
#define TAIL_MAX 4096
#define TAIL_LINES 8

StubdomGuestLife
stubdomGuestLife(StubdomLibxl *libxl, uint32_t domid, const unsigned char *uuid)
{
    StubdomGuestLife life = STUBDOM_GUEST_RUNNING;
    libxl_dominfo info;
    bool gone;
    int rc;

    libxl_dominfo_init(&info);
    rc = libxl_domain_info(libxl->ctx, &info, domid);
    gone = rc == ERROR_DOMAIN_NOTFOUND || rc == ERROR_INVAL ||
           (rc == 0 && (info.dying || (uuid && memcmp(info.uuid.uuid, uuid, sizeof(info.uuid.uuid)) != 0)));
    if (gone) {
        life = STUBDOM_GUEST_GONE;
    } else if (rc != 0) {
        life = STUBDOM_GUEST_UNKNOWN;
    } else if (info.shutdown) {
        life = STUBDOM_GUEST_SHUTDOWN;
    } else if (info.paused) {
        life = STUBDOM_GUEST_PAUSED;
    }
    libxl_dominfo_dispose(&info);
    return life;
}

void
stubdomGuestRefresh(virDomainObj *vm, StubdomGuestLife life)
{
    virDomainState state = virDomainObjGetState(vm, NULL);

    if (life == STUBDOM_GUEST_PAUSED && state == VIR_DOMAIN_RUNNING) {
        virDomainObjSetState(vm, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_UNKNOWN);
    } else if (life == STUBDOM_GUEST_RUNNING && state == VIR_DOMAIN_PAUSED) {
        virDomainObjSetState(vm, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_UNKNOWN);
    }
}

bool
stubdomGuestFind(StubdomLibxl *libxl, const unsigned char *uuid, uint32_t *domid)
{
    int count = 0;
    libxl_dominfo *list = libxl_list_domain(libxl->ctx, &count);
    bool found = false;

    for (int i = 0; list && i < count && !found; i++) {
        found = !list[i].dying && memcmp(list[i].uuid.uuid, uuid, sizeof(list[i].uuid.uuid)) == 0;
        *domid = list[i].domid;
    }
    libxl_dominfo_list_free(list, count);
    return found;
}

uint32_t
stubdomGuestStubdomain(StubdomLibxl *libxl, uint32_t domid)
{
    return libxl_get_stubdom_id(libxl->ctx, (int)domid);
}

int
stubdomGuestDestroy(StubdomLibxl *libxl, uint32_t domid)
{
    int rc = libxl_domain_destroy(libxl->ctx, domid, NULL);

    if (rc != 0 && stubdomGuestLife(libxl, domid, NULL) != STUBDOM_GUEST_GONE) {
        stubdomLibxlError(libxl, rc, _("the domain cannot be destroyed"));
        return -1;
    }
    return 0;
}

/* Xen counts pauses: a domain paused twice would have to be unpaused twice. */
static int
pauseOnce(StubdomLibxl *libxl, uint32_t domid)
{
    return stubdomGuestLife(libxl, domid, NULL) == STUBDOM_GUEST_PAUSED ? 0
                                                                        : libxl_domain_pause(libxl->ctx, domid, NULL);
}

/* Unpausing one that runs is an error of Xen's; others may have unpaused it. */
static int
unpauseOnce(StubdomLibxl *libxl, uint32_t domid)
{
    return stubdomGuestLife(libxl, domid, NULL) == STUBDOM_GUEST_RUNNING
               ? 0
               : libxl_domain_unpause(libxl->ctx, domid, NULL);
}

int
stubdomGuestPause(StubdomLibxl *libxl, uint32_t domid, uint32_t stubdomain)
{
    int rc = pauseOnce(libxl, domid);

    if (rc != 0) {
        stubdomLibxlError(libxl, rc, _("the guest cannot be paused"));
        return -1;
    }
    if (stubdomain && (rc = pauseOnce(libxl, stubdomain)) != 0) {
        stubdomLibxlError(libxl, rc, _("the stubdomain cannot be paused, so the guest goes on"));
        ignore_value(libxl_domain_unpause(libxl->ctx, domid, NULL));
        return -1;
    }
    return 0;
}

int
stubdomGuestUnpause(StubdomLibxl *libxl, uint32_t domid, uint32_t stubdomain)
{
    int rc = stubdomain ? unpauseOnce(libxl, stubdomain) : 0;

    if (rc != 0) {
        stubdomLibxlError(libxl, rc, _("the stubdomain cannot be unpaused, so the guest stays paused"));
        return -1;
    }
    if ((rc = unpauseOnce(libxl, domid)) != 0) {
        stubdomLibxlError(libxl, rc, _("the guest cannot be unpaused"));
        if (stubdomain) {
            ignore_value(libxl_domain_pause(libxl->ctx, stubdomain, NULL));
        }
        return -1;
    }
    return 0;
}

/* --- the log of a device model -------------------------------------------------------- */

static char *
readTail(const char *path)
{
    VIR_AUTOCLOSE fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    g_autofree char *text = g_malloc0(TAIL_MAX + 1);
    ssize_t length;

    if (fd < 0) {
        return NULL;
    }
    if (lseek(fd, -TAIL_MAX, SEEK_END) < 0) {
        ignore_value(lseek(fd, 0, SEEK_SET));
    }
    length = saferead(fd, text, TAIL_MAX);
    for (ssize_t i = 0; i < length; i++) {
        text[i] = text[i] ? text[i] : '?';
    }
    return length > 0 ? g_steal_pointer(&text) : NULL;
}

/* Bytes that are no printable ASCII as \xNN. */
static void
appendVisible(GString *result, const char *line)
{
    for (const char *p = line; *p; p++) {
        if (g_ascii_isprint(*p)) {
            g_string_append_c(result, *p);
        } else {
            g_string_append_printf(result, "\\x%02x", (unsigned char)*p);
        }
    }
}

char *
stubdomGuestLogTail(const char *directory, const char *name)
{
    g_autofree char *path = g_strdup_printf("%s/qemu-dm-%s.log", directory, name);
    g_autofree char *text = readTail(path);
    g_auto(GStrv) lines = text ? g_strsplit(g_strchomp(text), "\n", -1) : NULL;
    g_autoptr(GString) result = g_string_new(NULL);
    size_t count = lines ? g_strv_length(lines) : 0;

    for (size_t i = count > TAIL_LINES ? count - TAIL_LINES : 0; i < count; i++) {
        if (*g_strstrip(lines[i])) {
            g_string_append(result, result->len ? "; " : "");
            appendVisible(result, lines[i]);
        }
    }
    return result->len ? g_strdup(result->str) : NULL;
}
