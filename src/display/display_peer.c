/*
 * Where a viewer is
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Numbers only: names are nothing this process could find out.
 */

#include "display_peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

void
displayPeerDescribe(int fd, DisplayReply *reply)
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof(address);
    const void *host = NULL;
    unsigned int port = 0;

    if (getpeername(fd, (struct sockaddr *)&address, &length) != 0) {
        return;
    }
    if (address.ss_family == AF_INET) {
        const struct sockaddr_in *ipv4 = (const void *)&address;

        reply->family = DISPLAY_FAMILY_IPV4;
        host = &ipv4->sin_addr;
        port = ntohs(ipv4->sin_port);
    } else if (address.ss_family == AF_INET6) {
        const struct sockaddr_in6 *ipv6 = (const void *)&address;

        reply->family = DISPLAY_FAMILY_IPV6;
        host = &ipv6->sin6_addr;
        port = ntohs(ipv6->sin6_port);
    } else if (address.ss_family == AF_UNIX) {
        reply->family = DISPLAY_FAMILY_UNIX;
    }
    if (host && inet_ntop(address.ss_family, host, reply->host, sizeof(reply->host))) {
        (void)snprintf(reply->service, sizeof(reply->service), "%u", port);
    }
}
