/*
 * File systems of the stubdomain, see the header
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "init_mounts.h"

#include <errno.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "init_error.h"

typedef struct {
    const char *type;
    const char *target;
    unsigned long flags;
    const char *options;
} InitMount;

static const InitMount mounts[] = {
    {"devtmpfs", "/dev", MS_NOSUID, "mode=0755"},
    {"proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL},
    {"sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL},
    {"tmpfs", "/run", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755,size=1m"},
    {"tmpfs", "/tmp", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777,size=4m"},
};

gboolean
initMountsMake(GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(mounts); i++) {
        const InitMount *m = &mounts[i];

        (void)mkdir(m->target, 0755);
        if (mount(m->type, m->target, m->type, m->flags, m->options) < 0 && errno != EBUSY) {
            int number = errno;
            g_autofree char *what = g_strdup_printf("cannot mount %s on %s", m->type, m->target);

            initErrorSetErrno(error, number, what);
            return FALSE;
        }
    }
    return TRUE;
}
