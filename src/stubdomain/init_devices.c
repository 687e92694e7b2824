/*
 * Whether the devices QEMU is to have are there, see the header
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "init_devices.h"

#include <fcntl.h>
#include <unistd.h>

#include "init_network.h"

static gboolean
nodePresent(const InitNode *node)
{
    int fd = -1;

    if (node->kind == INIT_NODE_CONSOLE)
        return g_file_test(node->path, G_FILE_TEST_EXISTS);
    fd = open(node->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

char *
initDevicesMissing(const InitArguments *arguments)
{
    for (guint i = 0; i < arguments->nodes->len; i++) {
        const InitNode *node = g_ptr_array_index(arguments->nodes, i);

        if (!nodePresent(node))
            return g_strdup(node->path);
    }
    for (guint i = 0; i < arguments->nics->len; i++) {
        guint number = g_array_index(arguments->nics, InitNic, i).number;

        if (!initNetworkPresent(number))
            return g_strdup_printf("PV network card %u", number);
    }
    return NULL;
}
