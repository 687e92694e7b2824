/*
 * What a viewer is about to say
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * libvncserver reads a message in pieces and waits for each, with everybody
 * else waiting too. So it is let at a message only when all of it has come, and
 * never at one that nobody needs: what viewers may say is the list here (RFC
 * 6143, section 7.5, and the registry at rfbproto). Pure functions over bytes
 * that were looked at and not taken.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the longest message libvncserver is let at. */
#define DISPLAY_RFB_PEEK 1028U

/* Bytes of a clipboard; it is not passed on, and a viewer with a longer one is closed. */
#define DISPLAY_RFB_CLIPBOARD_MAX (16U << 20)

typedef enum {
    DISPLAY_RFB_VERSION = 0,
    DISPLAY_RFB_SECURITY,
    DISPLAY_RFB_RESPONSE,
    DISPLAY_RFB_INIT,
    DISPLAY_RFB_NORMAL,
} DisplayRfbState;

typedef enum {
    DISPLAY_RFB_WAIT = 0, /* more has to come */
    DISPLAY_RFB_HOLD,     /* not while the viewer is busy: it changes how pixels are encoded, or is answered at once */
    DISPLAY_RFB_PASS,     /* libvncserver may read it */
    DISPLAY_RFB_SKIP,     /* @length bytes are to be thrown away */
    DISPLAY_RFB_REFUSE,   /* a viewer has no business with this */
} DisplayRfbVerdict;

/**
 * displayRfbLook:
 * @data: what has come, from the beginning of a message on
 * @have: how many bytes, at least 1
 * @busy: an update is half sent, or the connection has no room for an answer
 * @length: (out): for DISPLAY_RFB_SKIP
 */
DisplayRfbVerdict displayRfbLook(DisplayRfbState state, const uint8_t *data, size_t have, bool busy, uint64_t *length);
