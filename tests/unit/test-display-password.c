/*
 * Tests of VNC's password
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The C library's syslog() is one of our own here: what opens a socket to the
 * system's log before the process is confined leaves it to whoever takes the
 * process over.
 */

#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <glib.h>

#include "display_password.h"

static unsigned int logged;

/* The bytes 0 to 15, and what "sesame" makes of them. */
static const uint8_t challenge[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
static const uint8_t response[] = {0xbc, 0x2c, 0x97, 0x74, 0xce, 0x4c, 0x8f, 0x47,
                                   0xf2, 0xf7, 0xab, 0xf0, 0x63, 0xa6, 0xe0, 0x32};

/* What syslog() is for programs compiled with _FORTIFY_SOURCE, as Debian's are. */
void __syslog_chk(int priority, int flag, const char *format, ...); /* NOLINT(bugprone-reserved-identifier) */

void
__syslog_chk(int priority, int flag, const char *format, ...) /* NOLINT(bugprone-reserved-identifier) */
{
    logged++;
}

static void
testLog(void)
{
    displayPasswordPrepare();
    g_assert_cmpuint(logged, ==, 0);
}

static void
testCheck(void)
{
    DisplayPassword password = {.set = true, .text = "sesame"};
    uint8_t other[sizeof(response)];

    memcpy(other, response, sizeof(other));
    other[15] ^= 1;
    g_assert_true(displayPasswordCheck(&password, challenge, response));
    g_assert_false(displayPasswordCheck(&password, challenge, other));
    password.end = time(NULL) + 100;
    g_assert_true(displayPasswordCheck(&password, challenge, response));
    password.end = time(NULL) - 1;
    g_assert_false(displayPasswordCheck(&password, challenge, response));
    password = (DisplayPassword){.set = false, .text = "sesame"};
    g_assert_false(displayPasswordCheck(&password, challenge, response));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/display-password/log", testLog);
    g_test_add_func("/display-password/check", testCheck);
    return g_test_run();
}
