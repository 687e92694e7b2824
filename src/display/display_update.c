/*
 * Sending a viewer what changed
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * libvncserver's encoders, under a header of our own. RFB wants the number of
 * rectangles before the first, or, of viewers that know it, a mark after the
 * last. Some encodings make several rectangles of one: they are used only with
 * the mark.
 */

#include "display_update.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

/*
 * Pixels of a slice, and its columns: libvncserver wants a row to fit its
 * buffer, and makes two rectangles of more than 32768 pixels in some encodings.
 */
#define SLICE_PIXELS 16384
#define SLICE_WIDTH 2048

/* Rectangles an update may say it has; the number above means that a mark ends it. */
#define RECTANGLES_MAX 0xfffeU
#define RECTANGLES_MARKED 0xffffU

void
displayUpdateInit(DisplayUpdate *update, uint32_t width, uint32_t height)
{
    memset(update, 0, sizeof(*update));
    update->width = width;
    update->height = height;
}

void
displayUpdateFree(DisplayUpdate *update)
{
    free(update->slices);
    update->slices = NULL;
    update->count = 0;
    update->next = 0;
}

/* Whether the viewer is to be told the picture's size: also one that said only after a change that it can be. */
static bool
sizePending(const DisplayUpdate *update, rfbClientPtr client)
{
    bool other = (int)update->width != client->screen->width || (int)update->height != client->screen->height;

    return client->useNewFBSize && (client->newFBSizePending || other);
}

/* What is to be sent now: changed, asked for, and inside what both sides take for the picture. NULL: nothing. */
static sraRegion *
pendingRegion(const DisplayUpdate *update, rfbClientPtr client)
{
    int width = (int)update->width < client->screen->width ? (int)update->width : client->screen->width;
    int height = (int)update->height < client->screen->height ? (int)update->height : client->screen->height;
    sraRegion *region;

    if (sraRgnEmpty(client->requestedRegion) || sraRgnEmpty(client->modifiedRegion)) {
        return NULL;
    }
    region = sraRgnCreateRect(0, 0, width, height);
    sraRgnAnd(region, client->requestedRegion);
    sraRgnAnd(region, client->modifiedRegion);
    if (sraRgnEmpty(region)) {
        sraRgnDestroy(region);
        return NULL;
    }
    return region;
}

bool
displayUpdateWanted(const DisplayUpdate *update, rfbClientPtr client)
{
    sraRegion *region;

    if (client->state != RFB_NORMAL) {
        return false;
    }
    if (sizePending(update, client)) {
        return !sraRgnEmpty(client->requestedRegion);
    }
    region = pendingRegion(update, client);
    if (region) {
        sraRgnDestroy(region);
    }
    return region != NULL;
}

/* The slices of @rect; only counts them if @slices is NULL. */
static size_t
cut(const sraRect *rect, sraRect *slices)
{
    size_t count = 0;

    for (int x = rect->x1; x < rect->x2; x += SLICE_WIDTH) {
        int right = rect->x2 - x < SLICE_WIDTH ? rect->x2 : x + SLICE_WIDTH;
        int rows = SLICE_PIXELS / (right - x);

        for (int y = rect->y1; y < rect->y2; y += rows) {
            int bottom = rect->y2 - y < rows ? rect->y2 : y + rows;

            if (slices) {
                slices[count] = (sraRect){.x1 = x, .y1 = y, .x2 = right, .y2 = bottom};
            }
            count++;
        }
    }
    return count;
}

static size_t
cutRegion(sraRegion *region, sraRect *slices)
{
    sraRectangleIterator *iterator = sraRgnGetIterator(region);
    size_t count = 0;
    sraRect rect;

    while (sraRgnIteratorNext(iterator, &rect)) {
        count += cut(&rect, slices ? slices + count : NULL);
    }
    sraRgnReleaseIterator(iterator);
    return count;
}

/* The header goes into the client's buffer, where the encoders add to it. */
static void
sendHeader(DisplayUpdate *update, rfbClientPtr client)
{
    rfbFramebufferUpdateMsg header = {.type = rfbFramebufferUpdate};

    update->marked = client->enableLastRectEncoding;
    header.nRects = htobe16(update->marked ? RECTANGLES_MARKED : (uint16_t)update->count);
    memcpy(client->updateBuf, &header, sz_rfbFramebufferUpdateMsg);
    client->ublen = sz_rfbFramebufferUpdateMsg;
}

static bool
begin(DisplayUpdate *update, rfbClientPtr client)
{
    sraRegion *region;
    size_t count;

    if (sizePending(update, client)) {
        update->width = (uint32_t)client->screen->width;
        update->height = (uint32_t)client->screen->height;
        client->newFBSizePending = TRUE;
        (void)rfbSendFramebufferUpdate(client, client->modifiedRegion); /* nothing but the new size */
        return false;
    }
    region = pendingRegion(update, client);
    if (!region) {
        return false;
    }
    count = cutRegion(region, NULL);
    update->slices = count > 0 && count <= RECTANGLES_MAX ? calloc(count, sizeof(*update->slices)) : NULL;
    if (!update->slices) {
        sraRgnDestroy(region);
        rfbCloseClient(client);
        return false;
    }
    update->count = cutRegion(region, update->slices);
    update->next = 0;
    sraRgnSubtract(client->modifiedRegion, region);
    sraRgnMakeEmpty(client->requestedRegion);
    sraRgnDestroy(region);
    sendHeader(update, client);
    return true;
}

/* A rectangle that was announced and is no part of the picture any more. */
static rfbBool
sendBlank(rfbClientPtr client, int x, int y, int width, int height)
{
    static const char zeros[4096];
    rfbFramebufferUpdateRectHeader header = {
        .r = {.x = htobe16((uint16_t)x),
              .y = htobe16((uint16_t)y),
              .w = htobe16((uint16_t)width),
              .h = htobe16((uint16_t)height)},
        .encoding = htobe32(rfbEncodingRaw),
    };
    size_t left = (size_t)width * (size_t)height * (client->format.bitsPerPixel / 8U);

    if (!rfbSendUpdateBuf(client) ||
        rfbWriteExact(client, (const char *)&header, sz_rfbFramebufferUpdateRectHeader) <= 0) {
        return FALSE;
    }
    while (left) {
        size_t part = left < sizeof(zeros) ? left : sizeof(zeros);

        if (rfbWriteExact(client, zeros, (int)part) <= 0) {
            return FALSE;
        }
        left -= part;
    }
    return TRUE;
}

static rfbBool
sendMany(rfbClientPtr client, int x, int y, int width, int height)
{
    switch (client->preferredEncoding) {
    case rfbEncodingCoRRE:
        return rfbSendRectEncodingCoRRE(client, x, y, width, height);
    case rfbEncodingTight:
        return rfbSendRectEncodingTight(client, x, y, width, height);
    default:
        return rfbSendRectEncodingRaw(client, x, y, width, height);
    }
}

static rfbBool
sendOne(const DisplayUpdate *update, rfbClientPtr client, const sraRect *slice)
{
    int x = slice->x1;
    int y = slice->y1;
    int width = slice->x2 - slice->x1;
    int height = slice->y2 - slice->y1;

    if (slice->x2 > client->screen->width || slice->y2 > client->screen->height) {
        return sendBlank(client, x, y, width, height);
    }
    switch (client->preferredEncoding) {
    case rfbEncodingRRE:
        return rfbSendRectEncodingRRE(client, x, y, width, height);
    case rfbEncodingHextile:
        return rfbSendRectEncodingHextile(client, x, y, width, height);
    case rfbEncodingUltra:
        return rfbSendRectEncodingUltra(client, x, y, width, height);
    case rfbEncodingZlib:
        return rfbSendRectEncodingZlib(client, x, y, width, height);
    case rfbEncodingZRLE:
    case rfbEncodingZYWRLE:
        return rfbSendRectEncodingZRLE(client, x, y, width, height);
    default:
        return update->marked ? sendMany(client, x, y, width, height)
                              : rfbSendRectEncodingRaw(client, x, y, width, height);
    }
}

void
displayUpdateSend(DisplayUpdate *update, rfbClientPtr client)
{
    rfbBool sent;

    if (!displayUpdateRunning(update) && !begin(update, client)) {
        return;
    }
    if (update->marked && sizePending(update, client)) {
        update->next = update->count; /* it is of another picture */
    }
    sent = update->next == update->count || sendOne(update, client, &update->slices[update->next]);
    update->next += update->next < update->count;
    if (sent && update->next == update->count) {
        sent = !update->marked || rfbSendLastRectMarker(client);
        displayUpdateFree(update);
    }
    if (!sent || !rfbSendUpdateBuf(client)) {
        displayUpdateFree(update);
        if (client->sock != RFB_INVALID_SOCKET) {
            rfbCloseClient(client);
        }
    }
}
