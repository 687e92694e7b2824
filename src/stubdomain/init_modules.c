/*
 * Kernel modules of the stubdomain, see the header
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "init_modules.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init_error.h"

static gboolean
moduleLoad(const char *path, const char *parameters, GError **error)
{
    int number = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || syscall(SYS_finit_module, fd, parameters, 0) < 0)
        number = errno;
    if (fd >= 0)
        close(fd);

    if (number != 0 && number != EEXIST) {
        g_autofree char *what = g_strdup_printf("cannot load kernel module %s", path);

        initErrorSetErrno(error, number, what);
        return FALSE;
    }
    return TRUE;
}

gboolean
initModulesLoad(const char *group, GError **error)
{
    g_autofree char *path = g_build_filename(INIT_MODULES_DIR, group, NULL);
    g_autofree char *list = NULL;
    g_auto(GStrv) lines = NULL;

    if (!g_file_test(path, G_FILE_TEST_EXISTS))
        return TRUE;
    if (!g_file_get_contents(path, &list, NULL, error))
        return FALSE;

    lines = g_strsplit(list, "\n", -1);
    for (char **line = lines; *line; line++) {
        char *parameters = strchr(*line, ' ');

        if (**line == '\0')
            continue;
        if (parameters)
            *parameters++ = '\0';
        if (!moduleLoad(*line, parameters ? parameters : "", error))
            return FALSE;
    }
    return TRUE;
}

typedef struct {
    const char *group; /* immutable */
    InitModulesFunc func;
    gpointer data;
    GError *error; /* the thread's, then the main loop's */
} ModulesLoad;

static gboolean
loadEnded(gpointer data)
{
    ModulesLoad *load = data;

    load->func(load->error, load->data);
    g_clear_error(&load->error);
    g_free(load);
    return G_SOURCE_REMOVE;
}

static gpointer
loadThread(gpointer data)
{
    ModulesLoad *load = data;

    (void)initModulesLoad(load->group, &load->error);
    g_idle_add(loadEnded, load);
    return NULL;
}

void
initModulesLoadBeside(const char *group, InitModulesFunc func, gpointer data)
{
    ModulesLoad *load = g_new0(ModulesLoad, 1);

    load->group = group;
    load->func = func;
    load->data = data;
    g_thread_unref(g_thread_new(group, loadThread, load));
}
