/*
 * What a viewer is about to say
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "display_rfb.h"

/* Types of messages of a viewer. */
#define SET_PIXEL_FORMAT 0
#define SET_ENCODINGS 2
#define UPDATE_REQUEST 3
#define KEY_EVENT 4
#define POINTER_EVENT 5
#define CLIENT_CUT_TEXT 6
#define SET_DESKTOP_SIZE 251
#define QEMU_CLIENT 255

#define ENCODINGS_MAX 256U
#define SCREENS_MAX 16U

static uint32_t
read16(const uint8_t *data)
{
    return (uint32_t)data[0] << 8 | data[1];
}

static uint32_t
read32(const uint8_t *data)
{
    return read16(data) << 16 | read16(data + 2);
}

static DisplayRfbVerdict
passWhen(size_t have, size_t length)
{
    return have >= length ? DISPLAY_RFB_PASS : DISPLAY_RFB_WAIT;
}

/* A list of @count entries of @size bytes after a head of @head bytes. */
static DisplayRfbVerdict
passList(size_t have, size_t head, size_t size, size_t count, size_t max)
{
    return count > max ? DISPLAY_RFB_REFUSE : passWhen(have, head + size * count);
}

/* An extended clipboard has a negative length. */
static DisplayRfbVerdict
lookClipboard(const uint8_t *data, size_t have, uint64_t *length)
{
    uint32_t said;

    if (have < 8) {
        return DISPLAY_RFB_WAIT;
    }
    said = read32(data + 4);
    if (said & 0x80000000U) {
        said = 0U - said;
    }
    *length = 8 + (uint64_t)said;
    return said > DISPLAY_RFB_CLIPBOARD_MAX ? DISPLAY_RFB_REFUSE : DISPLAY_RFB_SKIP;
}

static DisplayRfbVerdict
lookNormal(const uint8_t *data, size_t have, bool busy, uint64_t *length)
{
    switch (data[0]) {
    case SET_PIXEL_FORMAT:
        return busy ? DISPLAY_RFB_HOLD : passWhen(have, 20);
    case SET_ENCODINGS:
        if (busy || have < 4) {
            return busy ? DISPLAY_RFB_HOLD : DISPLAY_RFB_WAIT;
        }
        return passList(have, 4, 4, read16(data + 2), ENCODINGS_MAX);
    case UPDATE_REQUEST:
        return passWhen(have, 10);
    case KEY_EVENT:
        return passWhen(have, 8);
    case POINTER_EVENT:
        return passWhen(have, 6);
    case CLIENT_CUT_TEXT:
        return lookClipboard(data, have, length);
    case SET_DESKTOP_SIZE:
        if (have < 8) {
            return DISPLAY_RFB_WAIT;
        }
        return busy ? DISPLAY_RFB_HOLD : passList(have, 8, 16, data[6], SCREENS_MAX);
    case QEMU_CLIENT: /* the extended key event is all that is offered */
        if (have < 2) {
            return DISPLAY_RFB_WAIT;
        }
        return data[1] == 0 ? passWhen(have, 12) : DISPLAY_RFB_REFUSE;
    default:
        return DISPLAY_RFB_REFUSE;
    }
}

DisplayRfbVerdict
displayRfbLook(DisplayRfbState state, const uint8_t *data, size_t have, bool busy, uint64_t *length)
{
    switch (state) {
    case DISPLAY_RFB_VERSION:
        return passWhen(have, 12);
    case DISPLAY_RFB_RESPONSE:
        return passWhen(have, 16);
    case DISPLAY_RFB_SECURITY:
    case DISPLAY_RFB_INIT:
        return passWhen(have, 1);
    case DISPLAY_RFB_NORMAL:
        return lookNormal(data, have, busy, length);
    default:
        return DISPLAY_RFB_REFUSE;
    }
}
