/*
 * A network driver of libvirt that stalls when a test wants it to
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * In the process of the driver under test (harness/driver_process.py) it answers
 * for the URIs network:///system and network:///session, whatever network is
 * asked for: a bridge, xenbr0, an address, and a lease for each card. Before it allocates or gives back a port it
 * waits on two pipes with names, if they are in $FAKENET_DIR: it writes a byte
 * into `create-reached` or `delete-reached`, and reads one from `create-go` or
 * `delete-go`.
 */

#include "fake_drivers.h"

#include <fcntl.h>
#include <unistd.h>

#define PORT                                                                                                           \
    "<networkport><uuid>5d744f21-ba4a-4d6e-bdb2-30a35ff3207d</uuid><owner><name>a</name>"                              \
    "<uuid>d54df46f-1ab5-4a22-8618-4560ef5fac2c</uuid></owner><mac address='00:16:3e:00:00:01'/>"                      \
    "<plug type='network' bridge='xenbr0'/></networkport>"

static void
step(const char *word, const char *end, int flags)
{
    g_autofree char *path = g_strdup_printf("%s/%s-%s", g_getenv("FAKENET_DIR"), word, end);
    char byte = 'x';
    int fd = open(path, flags | O_CLOEXEC);

    if (fd >= 0) {
        ignore_value(flags == O_WRONLY ? write(fd, &byte, 1) : read(fd, &byte, 1));
        close(fd);
    }
}

static void
stall(const char *word)
{
    step(word, "reached", O_WRONLY);
    step(word, "go", O_RDONLY);
}

static virNetworkPtr
lookup(virConnectPtr conn, const char *name)
{
    unsigned char uuid[VIR_UUID_BUFLEN] = {1};

    return virGetNetwork(conn, name, uuid);
}

/* All but "bare" have an address, of this very host. */
static char *
networkXml(virNetworkPtr network, unsigned int flags)
{
    return g_strdup_printf("<network><name>%s</name>%s</network>", network->name,
                           STREQ(network->name, "bare") ? "" : "<ip address='127.0.0.2' prefix='8'/>");
}

static int
leases(virNetworkPtr network, const char *mac, virNetworkDHCPLeasePtr **found, unsigned int flags)
{
    virNetworkDHCPLeasePtr lease = g_new0(virNetworkDHCPLease, 1);

    lease->type = VIR_IP_ADDR_TYPE_IPV4;
    lease->mac = g_strdup(mac);
    lease->ipaddr = g_strdup("127.0.0.77");
    lease->prefix = 8;
    lease->hostname = g_strdup("inside");
    *found = g_new0(virNetworkDHCPLeasePtr, 2);
    (*found)[0] = lease;
    return 1;
}

static virNetworkPortPtr
portCreate(virNetworkPtr network, const char *xml, unsigned int flags)
{
    unsigned char uuid[VIR_UUID_BUFLEN] = {1, 2};

    stall("create");
    return virGetNetworkPort(network, uuid);
}

static virNetworkPortPtr
portLookup(virNetworkPtr network, const unsigned char *uuid)
{
    return virGetNetworkPort(network, uuid);
}

static char *
portXml(virNetworkPortPtr port, unsigned int flags)
{
    return g_strdup(PORT);
}

static int
portDelete(virNetworkPortPtr port, unsigned int flags)
{
    stall("delete");
    return 0;
}

virNetworkDriver fakeNetworkDriver = {
    .name = "fake",
    .networkLookupByName = lookup,
    .networkGetXMLDesc = networkXml,
    .networkGetDHCPLeases = leases,
    .networkPortCreateXML = portCreate,
    .networkPortLookupByUUID = portLookup,
    .networkPortGetXMLDesc = portXml,
    .networkPortDelete = portDelete,
};
