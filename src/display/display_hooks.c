/*
 * What libvncserver calls
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "display_hooks.h"

#include "display_keys.h"
#include "display_server.h"

/* QEMU's extended key event: pseudo-encoding, message. */
#define EXTENDED_KEY (-258)
#define EXTENDED_KEY_TYPE 255
#define EXTENDED_KEY_REST 11

static void
logNothing(const char *format, ...)
{
}

static void
keyEvent(rfbBool down, rfbKeySym keysym, rfbClientPtr client)
{
    displayViewerKey(client->clientData, displayKeyOfKeysym(keysym), down);
}

static void
pointerEvent(int buttons, int x, int y, rfbClientPtr client)
{
    displayViewerPoint(client->clientData, buttons, x, y);
}

static rfbBool
passwordCheck(rfbClientPtr client, const char *response, int length)
{
    DisplayViewer *viewer = client->clientData;

    viewer->authenticated =
        length == CHALLENGESIZE &&
        displayPasswordCheck(&viewer->server->password, client->authChallenge, (const uint8_t *)response);
    return viewer->authenticated;
}

/* The viewer knows the extension: it is told that we do by an empty rectangle of that "encoding". */
static rfbBool
enableExtendedKey(rfbClientPtr client, void **data, int encoding)
{
    static const uint8_t update[] = {0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xfe, 0xfe};

    return encoding == EXTENDED_KEY && rfbWriteExact(client, (const char *)update, sizeof(update)) > 0;
}

static rfbBool
extendedKey(rfbClientPtr client, void *data, const rfbClientToServerMsg *message)
{
    uint8_t rest[EXTENDED_KEY_REST];
    uint32_t scancode;
    uint32_t keysym;
    uint32_t code;

    if (message->type != EXTENDED_KEY_TYPE) {
        return FALSE;
    }
    if (rfbReadExact(client, (char *)rest, sizeof(rest)) <= 0 || rest[0] != 0) {
        rfbCloseClient(client);
        return TRUE;
    }
    keysym = (uint32_t)rest[3] << 24 | (uint32_t)rest[4] << 16 | (uint32_t)rest[5] << 8 | rest[6];
    scancode = (uint32_t)rest[7] << 24 | (uint32_t)rest[8] << 16 | (uint32_t)rest[9] << 8 | rest[10];
    code = displayKeyOfScancode(scancode);
    displayViewerKey(client->clientData, code ? code : displayKeyOfKeysym(keysym), rest[1] || rest[2]);
    return TRUE;
}

static int extendedKeyEncodings[] = {EXTENDED_KEY, 0};
static rfbProtocolExtension extendedKeyExtension = {
    .pseudoEncodings = extendedKeyEncodings,
    .enablePseudoEncoding = enableExtendedKey,
    .handleMessage = extendedKey,
};

void
displayHooksSilence(void)
{
    rfbLog = logNothing;
    rfbErr = logNothing;
}

void
displayHooksInstall(rfbScreenInfoPtr screen)
{
    screen->kbdAddEvent = keyEvent;
    screen->ptrAddEvent = pointerEvent;
    screen->passwordCheck = passwordCheck;
    rfbRegisterProtocolExtension(&extendedKeyExtension);
}
