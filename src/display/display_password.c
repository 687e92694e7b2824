/*
 * VNC's password
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "display_password.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include <gcrypt.h>
#include <rfb/rfb.h>

/*
 * libvncserver's own takes challenges from random(), seeded with the time: a
 * viewer could guess the next. This one is in its place, because a program's
 * functions come before a library's.
 */
void
rfbRandomBytes(unsigned char *bytes)
{
    size_t filled = 0;

    while (filled < CHALLENGESIZE) {
        ssize_t count = getrandom(bytes + filled, CHALLENGESIZE - filled, 0);

        if (count <= 0) {
            abort();
        }
        filled += (size_t)count;
    }
}

/*
 * libvncserver uses libgcrypt without a beginning, of which that complains to
 * the system's log, through a socket that stays open.
 */
void
displayPasswordPrepare(void)
{
    unsigned char bytes[CHALLENGESIZE];
    char nothing[] = "x";

    (void)gcry_check_version(NULL);
    (void)gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
    (void)gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
    rfbRandomBytes(bytes);
    rfbEncryptBytes(bytes, nothing);
}

bool
displayPasswordCheck(const DisplayPassword *password, const uint8_t *challenge, const uint8_t *response)
{
    unsigned char expected[CHALLENGESIZE];
    char text[DISPLAY_TEXT_SIZE];
    unsigned int difference = 0;

    memcpy(expected, challenge, CHALLENGESIZE);
    memcpy(text, password->text, sizeof(text));
    rfbEncryptBytes(expected, text);
    for (size_t i = 0; i < CHALLENGESIZE; i++) {
        difference |= (unsigned int)(expected[i] ^ response[i]);
    }
    return password->set && difference == 0 && (password->end == 0 || time(NULL) < password->end);
}
