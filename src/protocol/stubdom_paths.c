/*
 * Xenstore paths of the device-model protocol
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The formats behind stubdom_paths.h.
 */

#include "protocol/stubdom_paths.h"

static const char *const nodeNames[STUBDOM_NODE_LAST] = {
    [STUBDOM_NODE_STATE] = "state",
    [STUBDOM_NODE_COMMAND] = "command",
    [STUBDOM_NODE_PARAMETER] = "parameter",
    [STUBDOM_NODE_LOGDIRTY_CMD] = "logdirty/cmd",
    [STUBDOM_NODE_LOGDIRTY_RET] = "logdirty/ret",
};

const char *
stubdomNodeName(StubdomNode node)
{
    g_assert((guint)node < STUBDOM_NODE_LAST);
    return nodeNames[node];
}

char *
stubdomPathDomain(guint domid)
{
    return g_strdup_printf("/local/domain/%u", domid);
}

char *
stubdomPathDeviceModel(guint stubdomain, guint guest)
{
    return g_strdup_printf("/local/domain/%u/device-model/%u", stubdomain, guest);
}

char *
stubdomPathNode(guint stubdomain, guint guest, StubdomNode node)
{
    return g_strdup_printf("/local/domain/%u/device-model/%u/%s", stubdomain, guest, stubdomNodeName(node));
}

char *
stubdomPathTarget(guint stubdomain)
{
    return g_strdup_printf("/local/domain/%u/target", stubdomain);
}

char *
stubdomPathRandomSeed(guint stubdomain)
{
    return g_strdup_printf("/local/domain/%u/" STUBDOM_RANDOM_SEED_NAME, stubdomain);
}

char *
stubdomPathDeviceModelDomid(guint guest)
{
    return g_strdup_printf("/local/domain/%u/image/device-model-domid", guest);
}

char *
stubdomPathBios(guint guest)
{
    return g_strdup_printf("/local/domain/%u/hvmloader/bios", guest);
}

char *
stubdomPathLocalDeviceModel(guint guest)
{
    return stubdomPathDeviceModel(0, guest);
}

char *
stubdomPathPciBackend(guint stubdomain)
{
    return g_strdup_printf("/local/domain/0/backend/pci/%u/0", stubdomain);
}

char *
stubdomPathDmargs(const char *uuid)
{
    return g_strdup_printf("/vm/%s/image/dmargs", uuid);
}

char *
stubdomPathDmArgv(const char *uuid)
{
    return g_strdup_printf("/vm/%s/image/dm-argv", uuid);
}

char *
stubdomPathConsoleFrontend(guint stubdomain, guint console)
{
    return g_strdup_printf("/local/domain/%u/device/console/%u", stubdomain, console);
}

char *
stubdomPathConsoleBackend(guint stubdomain, guint console)
{
    return g_strdup_printf("/local/domain/0/backend/console/%u/%u", stubdomain, console);
}

char *
stubdomPathConsoleLibxl(guint stubdomain, guint console)
{
    return g_strdup_printf("/libxl/%u/device/console/%u", stubdomain, console);
}

char *
stubdomPathDisplayFrontend(guint stubdomain, const char *type)
{
    return g_strdup_printf("/local/domain/%u/device/%s/0", stubdomain, type);
}

char *
stubdomPathDisplayBackend(guint stubdomain, const char *type)
{
    return g_strdup_printf("/local/domain/0/backend/%s/%u/0", type, stubdomain);
}

char *
stubdomPathLogTty(guint stubdomain)
{
    return g_strdup_printf("/local/domain/%u/console/tty", stubdomain);
}
