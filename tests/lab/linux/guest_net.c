/*
 * The Linux guest's commands about network cards
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One frame out and one back is what shows that a card works: an ARP request,
 * which any IPv4 host at the other end answers. The guest has no address of
 * its own.
 */

#include "guest.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/if_ether.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define NET "/sys/class/net"
#define CARRIER_SECONDS 10
#define ANSWER_SECONDS 10
#define RESEND_MS 1000

typedef struct {
    struct ether_header ethernet;
    struct ether_arp arp;
} __attribute__((packed)) ArpFrame;

const char *
guestNet(char **words)
{
    DIR *directory = opendir(NET);
    struct dirent *entry;

    (void)words;
    while (directory && (entry = readdir(directory))) {
        char driver[64], address[32], carrier[8], sent[32], received[32];
        const char *name = entry->d_name;

        if (name[0] == '.' || strcmp(name, "lo") == 0) {
            continue;
        }
        guestSay("net %s driver %s mac %s carrier %s sent %s received %s", name,
                 guestLink(driver, sizeof(driver), NET "/%s/device/driver", name),
                 guestRead(address, sizeof(address), NET "/%s/address", name),
                 guestRead(carrier, sizeof(carrier), NET "/%s/carrier", name),
                 guestRead(sent, sizeof(sent), NET "/%s/statistics/tx_packets", name),
                 guestRead(received, sizeof(received), NET "/%s/statistics/rx_packets", name));
    }
    if (directory) {
        closedir(directory);
    }
    return NULL;
}

/* Brings an interface up and waits for its link. */
static const char *
bringUp(int fd, const char *name)
{
    struct ifreq request = {0};
    time_t end = time(NULL) + CARRIER_SECONDS;
    char carrier[8];

    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
    if (ioctl(fd, SIOCGIFFLAGS, &request) < 0) {
        return "there is no such interface";
    }
    request.ifr_flags = (short)(request.ifr_flags | IFF_UP);
    if (ioctl(fd, SIOCSIFFLAGS, &request) < 0) {
        return strerror(errno);
    }
    while (strcmp(guestRead(carrier, sizeof(carrier), NET "/%s/carrier", name), "1") != 0) {
        if (time(NULL) > end) {
            return "the link does not come up";
        }
        usleep(20000);
    }
    return NULL;
}

static void
makeRequest(ArpFrame *frame, const uint8_t *mac, const char *source, const char *target)
{
    memset(frame, 0, sizeof(*frame));
    memset(frame->ethernet.ether_dhost, 0xff, ETH_ALEN);
    memcpy(frame->ethernet.ether_shost, mac, ETH_ALEN);
    frame->ethernet.ether_type = htons(ETHERTYPE_ARP);
    frame->arp.ea_hdr.ar_hrd = htons(ARPHRD_ETHER);
    frame->arp.ea_hdr.ar_pro = htons(ETHERTYPE_IP);
    frame->arp.ea_hdr.ar_hln = ETH_ALEN;
    frame->arp.ea_hdr.ar_pln = sizeof(struct in_addr);
    frame->arp.ea_hdr.ar_op = htons(ARPOP_REQUEST);
    memcpy(frame->arp.arp_sha, mac, ETH_ALEN);
    inet_pton(AF_INET, source, frame->arp.arp_spa);
    inet_pton(AF_INET, target, frame->arp.arp_tpa);
}

static int
isAnswer(const ArpFrame *request, const ArpFrame *frame, ssize_t length)
{
    return length >= (ssize_t)sizeof(*frame) && frame->ethernet.ether_type == htons(ETHERTYPE_ARP) &&
           frame->arp.ea_hdr.ar_op == htons(ARPOP_REPLY) &&
           memcmp(frame->arp.arp_spa, request->arp.arp_tpa, sizeof(frame->arp.arp_spa)) == 0;
}

/* Sends the request again and again until it is answered. */
static const char *
exchange(int fd, const struct sockaddr_ll *address, const ArpFrame *request)
{
    struct pollfd poller = {.fd = fd, .events = POLLIN};

    for (int tries = 0; tries < ANSWER_SECONDS * 1000 / RESEND_MS; tries++) {
        if (sendto(fd, request, sizeof(*request), 0, (const struct sockaddr *)address, sizeof(*address)) < 0) {
            return strerror(errno);
        }
        while (poll(&poller, 1, RESEND_MS) > 0) {
            uint8_t buffer[2048];
            const ArpFrame *frame = (const ArpFrame *)buffer;
            const uint8_t *mac = frame->arp.arp_sha;

            if (isAnswer(request, frame, recv(fd, buffer, sizeof(buffer), 0))) {
                guestSay("arp answered by %02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
                         mac[5]);
                return NULL;
            }
        }
    }
    return "no answer";
}

const char *
guestArp(char **words)
{
    struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP), .sll_halen = ETH_ALEN};
    struct ifreq request = {0};
    const char *wrong;
    ArpFrame frame;
    int fd;

    if (!words[1] || !words[2] || !words[3]) {
        return "needs interface, source and target";
    }
    fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ARP));
    if (fd < 0) {
        return strerror(errno);
    }
    wrong = bringUp(fd, words[1]);
    if (!wrong) {
        snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", words[1]);
        (void)ioctl(fd, SIOCGIFHWADDR, &request);
        memset(address.sll_addr, 0xff, ETH_ALEN);
        address.sll_ifindex = (int)if_nametoindex(words[1]);
        (void)bind(fd, (const struct sockaddr *)&address, sizeof(address));
        makeRequest(&frame, (const uint8_t *)request.ifr_hwaddr.sa_data, words[2], words[3]);
        wrong = exchange(fd, &address, &frame);
    }
    close(fd);
    return wrong;
}
