/*
 * Connection of an emulated network card to its PV network card, see the header
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "init_network.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "init_error.h"
#include "init_netlink.h"

/* The kernel numbers interfaces as they appear; which card it is says only its place on the xenbus. */
static char *
interfaceName(guint number)
{
    g_autofree char *path = g_strdup_printf("/sys/bus/xen/devices/vif-%u/net", number);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);

    return dir ? g_strdup(g_dir_read_name(dir)) : NULL;
}

/* Index of its interface, 0 if it has none yet. */
static guint
interfaceIndex(guint number)
{
    g_autofree char *name = interfaceName(number);

    return name ? initNetlinkIndex(name) : 0;
}

gboolean
initNetworkPresent(guint number)
{
    return interfaceIndex(number) != 0;
}

static int
tapOpen(guint index, GError **error)
{
    g_autofree char *path = g_strdup_printf("/dev/tap%u", index);
    /* Without IFF_VNET_HDR the kernel hands over frames an emulated card can take as they are. */
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0) {
        int number = errno;
        g_autofree char *what = g_strdup_printf("cannot open %s", path);

        initErrorSetErrno(error, number, what);
        if (fd >= 0)
            close(fd);
        return -1;
    }
    return fd;
}

int
initNetworkConnect(guint number, GError **error)
{
    g_autofree char *name = g_strdup_printf("tap%u", number);
    guint lower = interfaceIndex(number);
    guint index = 0;
    int fd = -1;

    if (lower == 0) {
        g_set_error(error, INIT_ERROR, INIT_ERROR_SYSTEM, "PV network card %u is gone", number);
        return -1;
    }
    if (!initNetlinkMacvtapAdd(lower, name, error))
        return -1;
    index = initNetlinkIndex(name);
    /* Promiscuous: the macvtap device has no idea which multicast groups the guest joins. */
    if (!initNetlinkSetFlags(lower, IFF_UP, error) || !initNetlinkSetFlags(index, IFF_UP | IFF_PROMISC, error))
        return -1;
    fd = tapOpen(index, error);
    return fd;
}
