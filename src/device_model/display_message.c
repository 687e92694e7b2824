/*
 * What xen-stubdom-dm and xen-stubdom-display say to each other
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "display_message.h"

#include <string.h>

bool
displayRequestParse(const void *data, size_t length, DisplayRequest *request)
{
    if (length != sizeof(*request)) {
        return false;
    }
    memcpy(request, data, sizeof(*request));
    if (request->type == 0 || request->type >= DISPLAY_REQUEST_LAST || request->device >= DISPLAY_DEVICES ||
        (request->flags & ~DISPLAY_FLAGS) || !memchr(request->text, '\0', sizeof(request->text))) {
        return false;
    }
    switch (request->type) {
    case DISPLAY_REQUEST_LISTEN:
        return request->value < DISPLAY_LISTENERS_MAX;
    case DISPLAY_REQUEST_KEY:
        return request->value > 0 && request->value < DISPLAY_KEYS;
    default:
        return true;
    }
}

/* A text for people and for JSON: ends within its room, and has nothing but ASCII that can be seen. */
static bool
textIsClean(const char *text, size_t size)
{
    const char *end = memchr(text, '\0', size);

    for (const char *p = text; end && p < end; p++) {
        if (*p <= ' ' || *p > '~') {
            return false;
        }
    }
    return end != NULL;
}

bool
displayReplyParse(const void *data, size_t length, DisplayReply *reply)
{
    if (length != sizeof(*reply)) {
        return false;
    }
    memcpy(reply, data, sizeof(*reply));
    return reply->type > 0 && reply->type < DISPLAY_REPLY_LAST && reply->device < DISPLAY_DEVICES &&
           reply->listener <= DISPLAY_LISTENER_NONE && reply->family < DISPLAY_FAMILIES &&
           (reply->flags & ~DISPLAY_FLAG_WEBSOCKET) == 0 && reply->error >= 0 &&
           textIsClean(reply->host, sizeof(reply->host)) && textIsClean(reply->service, sizeof(reply->service));
}
