/*
 * VNC's password
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What is asked of viewers, and until when it is valid. VNC's authentication
 * is a DES of a challenge with the first eight bytes of the password.
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "device_model/display_message.h"

typedef struct {
    bool required; /* viewers are asked for it */
    bool set;      /* there is one; if not, nobody may come */
    int64_t end;   /* seconds since 1970; 0: never */
    char text[DISPLAY_TEXT_SIZE];
} DisplayPassword;

/** To be called once before the process is confined: the cipher's library reads files then. */
void displayPasswordPrepare(void);

/** Whether @response is @challenge (both 16 bytes) encrypted with the password, and it is still valid. */
bool displayPasswordCheck(const DisplayPassword *password, const uint8_t *challenge, const uint8_t *response);
