/*
 * Whether the devices QEMU is to have are there, see the header
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "init_devices.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "init_log.h"
#include "init_network.h"

#define CONSOLE_PREFIX "/dev/hvc"

static gboolean
nodePresent(const InitNode *node, InitDevicesConsole connected, gpointer data)
{
    int fd = -1;

    if (node->kind == INIT_NODE_CONSOLE) {
        guint64 number = g_ascii_strtoull(node->path + strlen(CONSOLE_PREFIX), NULL, 10);

        return number == 0 || (number <= G_MAXUINT && connected((guint)number, data));
    }
    fd = open(node->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

char *
initDevicesMissing(const InitArguments *arguments, InitDevicesConsole connected, gpointer data)
{
    for (guint i = 0; i < arguments->nodes->len; i++) {
        const InitNode *node = g_ptr_array_index(arguments->nodes, i);

        if (!nodePresent(node, connected, data))
            return g_strdup(node->path);
    }
    for (guint i = 0; i < arguments->nics->len; i++) {
        guint number = g_array_index(arguments->nics, InitNic, i).number;

        if (!initNetworkPresent(number))
            return g_strdup_printf("PV network card %u", number);
    }
    return NULL;
}

void
initDevicesPoke(InitXenstore *store)
{
    static const char *const types[] = {"vbd", "vif"};

    for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
        g_autofree char *directory = g_build_filename("device", types[i], NULL);
        g_auto(GStrv) names = initXenstoreList(store, directory);

        for (char **name = names; *name; name++) {
            g_autofree char *path = g_build_filename(directory, *name, "awaited", NULL);
            g_autoptr(GError) error = NULL;

            if (!initXenstoreWrite(store, path, "1", &error))
                initLog("%s", error->message);
        }
    }
}
