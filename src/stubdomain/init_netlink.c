/*
 * The three rtnetlink requests stubdom-init needs, see the header
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "init_netlink.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "init_error.h"

#define REQUEST_MAX 512

typedef union {
    struct nlmsghdr header;
    char bytes[REQUEST_MAX];
} Request;

typedef union {
    struct nlmsghdr header;
    char bytes[4096];
} Reply;

static void
requestInit(Request *request, guint16 type, guint16 flags, int index, guint ifFlags)
{
    struct ifinfomsg info = {.ifi_index = index, .ifi_flags = ifFlags, .ifi_change = ifFlags};

    memset(request, 0, sizeof(*request));
    request->header.nlmsg_type = type;
    request->header.nlmsg_flags = NLM_F_REQUEST | flags;
    request->header.nlmsg_len = NLMSG_LENGTH(sizeof(info));
    memcpy(NLMSG_DATA(&request->header), &info, sizeof(info));
}

/* Appends an attribute, and returns where it starts, for requestNestEnd(). */
static gsize
requestAdd(Request *request, guint16 type, gconstpointer data, gsize length)
{
    gsize start = NLMSG_ALIGN(request->header.nlmsg_len);
    struct rtattr attribute = {.rta_type = type, .rta_len = (unsigned short)RTA_LENGTH(length)};

    g_assert(start + RTA_SPACE(length) <= sizeof(*request));
    memcpy(request->bytes + start, &attribute, sizeof(attribute));
    if (length > 0)
        memcpy(request->bytes + start + RTA_LENGTH(0), data, length);
    request->header.nlmsg_len = (guint32)(start + RTA_LENGTH(length));
    return start;
}

static void
requestNestEnd(Request *request, gsize start)
{
    struct rtattr attribute = {0};

    memcpy(&attribute, request->bytes + start, sizeof(attribute));
    attribute.rta_len = (unsigned short)(request->header.nlmsg_len - start);
    memcpy(request->bytes + start, &attribute, sizeof(attribute));
}

/* Sends the request and receives what the kernel answers, or at least its beginning; returns 0 or an errno. */
static int
requestExchange(const Request *request, Reply *reply)
{
    ssize_t length = -1;
    int number = 0;
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

    if (fd < 0)
        return errno;
    if (send(fd, request, request->header.nlmsg_len, 0) >= 0)
        length = recv(fd, reply, sizeof(*reply), 0);
    if (length < 0)
        number = errno;
    close(fd);
    if (number == 0 && (gsize)length < NLMSG_LENGTH(sizeof(struct nlmsgerr)))
        number = EPROTO;
    return number;
}

/* The result in an answer that is an acknowledgement or an error; another is one error more. */
static int
replyResult(const Reply *reply)
{
    struct nlmsgerr result = {.error = -EPROTO};

    if (reply->header.nlmsg_type == NLMSG_ERROR)
        memcpy(&result, NLMSG_DATA(&reply->header), sizeof(result));
    return -result.error;
}

/* Sends the request and waits for the kernel's acknowledgement; returns 0 or an errno. */
static int
requestSend(Request *request)
{
    Reply reply = {.bytes = {0}};
    int number = 0;

    request->header.nlmsg_flags |= NLM_F_ACK;
    number = requestExchange(request, &reply);
    return number != 0 ? number : replyResult(&reply);
}

guint
initNetlinkIndex(const char *name)
{
    Reply reply = {.bytes = {0}};
    struct ifinfomsg info = {0};
    Request request;

    requestInit(&request, RTM_GETLINK, 0, 0, 0);
    requestAdd(&request, IFLA_IFNAME, name, strlen(name) + 1);
    if (requestExchange(&request, &reply) != 0 || reply.header.nlmsg_type != RTM_NEWLINK)
        return 0;
    memcpy(&info, NLMSG_DATA(&reply.header), sizeof(info));
    return info.ifi_index > 0 ? (guint)info.ifi_index : 0;
}

gboolean
initNetlinkMacvtapAdd(guint lower, const char *name, GError **error)
{
    static const char kind[] = "macvtap";
    guint32 mode = MACVLAN_MODE_PASSTHRU;
    Request request;
    gsize info = 0;
    gsize data = 0;
    int number = 0;

    requestInit(&request, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0, 0);
    requestAdd(&request, IFLA_LINK, &lower, sizeof(lower));
    requestAdd(&request, IFLA_IFNAME, name, strlen(name) + 1);
    info = requestAdd(&request, IFLA_LINKINFO, NULL, 0);
    requestAdd(&request, IFLA_INFO_KIND, kind, strlen(kind));
    data = requestAdd(&request, IFLA_INFO_DATA, NULL, 0);
    requestAdd(&request, IFLA_MACVLAN_MODE, &mode, sizeof(mode));
    requestNestEnd(&request, data);
    requestNestEnd(&request, info);

    number = requestSend(&request);
    if (number != 0)
        initErrorSetErrno(error, number, "cannot make a macvtap interface");
    return number == 0;
}

gboolean
initNetlinkSetFlags(guint index, guint flags, GError **error)
{
    Request request;
    int number = 0;

    requestInit(&request, RTM_NEWLINK, 0, (int)index, flags);
    number = requestSend(&request);
    if (number != 0)
        initErrorSetErrno(error, number, "cannot bring a network interface up");
    return number == 0;
}
