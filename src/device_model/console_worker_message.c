/*
 * What xen-stubdom-dm and its console worker say to each other
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Checks of packets, field by field; fields a type does not use must be zero.
 */

#include "console_worker_message.h"

#include <string.h>

static bool
consoleNumberValid(uint32_t number)
{
    return number >= 1 && number <= CONSOLE_NUMBER_MAX;
}

bool
consoleRequestParse(const void *data, size_t length, ConsoleRequest *request)
{
    bool peer;
    bool connect;

    if (length != sizeof(*request)) {
        return false;
    }
    memcpy(request, data, sizeof(*request));
    if (request->type < CONSOLE_REQUEST_CONNECT || request->type >= CONSOLE_REQUEST_LAST ||
        !consoleNumberValid(request->console)) {
        return false;
    }
    peer = request->type == CONSOLE_REQUEST_PEER;
    connect = request->type == CONSOLE_REQUEST_CONNECT;
    if (!peer && (request->flags || request->limit)) {
        return false;
    }
    if (!connect && (request->ref || request->port)) {
        return false;
    }
    return (request->flags & ~CONSOLE_PEER_FLAGS) == 0;
}

bool
consoleReplyParse(const void *data, size_t length, ConsoleReply *reply)
{
    if (length != sizeof(*reply)) {
        return false;
    }
    memcpy(reply, data, sizeof(*reply));
    if (reply->type < CONSOLE_REPLY_CONNECTED || reply->type >= CONSOLE_REPLY_LAST) {
        return false;
    }
    /* Linux's errno values end at 4095 (MAX_ERRNO). */
    return consoleNumberValid(reply->console) && reply->error >= 0 && reply->error <= 4095;
}
