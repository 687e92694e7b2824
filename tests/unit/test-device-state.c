/*
 * Unit tests of what is told of a device state from outside
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <string.h>
#include <unistd.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "dm_error.h"
#include "dm_state.h"

#define LIMIT 65536

/* What QEMU for Xen writes: header, one section of each device, the end mark. */
#define HEADER "QEVM\0\0\0\3"
#define SECTION "\4\0\0\0\2\5timer\0\0\0\0\0\0\0\2"
#define DATA "\1\2\3\4\5\6\7\10"

/* A string with its NULs. */
#define BYTES(text) text, sizeof(text) - 1

static int
makeFile(const char *data, gsize length)
{
    g_autofree char *name = NULL;
    g_autoptr(GError) error = NULL;
    int fd = g_file_open_tmp("device-state-XXXXXX", &name, &error);

    g_assert_no_error(error);
    g_assert_cmpint(g_unlink(name), ==, 0);
    g_assert_cmpint(write(fd, data, length), ==, (gssize)length);
    return fd;
}

static void
assertGood(DmImageKind kind, const char *data, gsize length)
{
    g_autoptr(GError) error = NULL;
    int fd = makeFile(data, length);

    g_assert_true(dmStateCheckFile(fd, LIMIT, kind, &error));
    g_assert_no_error(error);
    close(fd);
}

static void
assertBad(DmImageKind kind, const char *data, gsize length, const char *words)
{
    g_autoptr(GError) error = NULL;
    int fd = makeFile(data, length);

    g_assert_false(dmStateCheckFile(fd, LIMIT, kind, &error));
    g_assert_error(error, DM_ERROR, DM_ERROR_STATE);
    if (!strstr(error->message, words)) {
        g_test_message("'%s' does not say '%s'", error->message, words);
        g_test_fail();
    }
    close(fd);
}

static void
testGood(void)
{
    assertGood(DM_IMAGE_LINUX, BYTES(HEADER SECTION DATA "\0"));
    assertGood(DM_IMAGE_LINUX, BYTES(HEADER "\1\0\0\0\2\5timer" DATA "\0"));
    assertGood(DM_IMAGE_LINUX, BYTES(HEADER "\7\0\0\0\5xenfv" SECTION DATA "\0"));
    assertGood(DM_IMAGE_MINIOS, BYTES(HEADER SECTION DATA "\0"));
    assertGood(DM_IMAGE_MINIOS, BYTES("QEVM\0\0\0\2" SECTION DATA "\0"));
    assertGood(DM_IMAGE_MINIOS, BYTES("QEMU\0\0\0\2" SECTION DATA "\0"));
}

static void
testLongName(void)
{
    g_autoptr(GString) text = g_string_new_len(BYTES(HEADER "\4\0\0\0\2\377"));

    for (int i = 0; i < 255; i++) {
        g_string_append_c(text, 'n');
    }
    assertBad(DM_IMAGE_LINUX, text->str, text->len, "header of its first section");
    g_string_append_c(text, '\0');
    assertGood(DM_IMAGE_LINUX, text->str, text->len);
}

static void
testNoState(void)
{
    assertBad(DM_IMAGE_LINUX, "", 0, "empty");
    assertBad(DM_IMAGE_LINUX, BYTES("QEVM"), "only 4 bytes");
    assertBad(DM_IMAGE_LINUX, BYTES("\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\0"), "'\\x7fELF'");
    assertBad(DM_IMAGE_LINUX, BYTES("QEMU\0\0\0\3" SECTION DATA "\0"), "'QEMU'");
    assertBad(DM_IMAGE_LINUX, BYTES("QEVM\0\0\0\2" SECTION DATA "\0"), "version 2");
    assertBad(DM_IMAGE_MINIOS, BYTES("QEVM\0\0\0\4" SECTION DATA "\0"), "version 4");
    assertBad(DM_IMAGE_LINUX, BYTES(HEADER "\0\0\0\0\0\0\0\0\0"), "type 0");
    assertBad(DM_IMAGE_LINUX, BYTES(HEADER "\4\0\0\0\2\0" DATA "\0"), "without a name");
    assertBad(DM_IMAGE_LINUX, BYTES(HEADER "\4\0\0\0\2\5ti\033er" DATA "\0"), "no device has");
}

/* At any place but before a byte that looks like the end mark. */
static void
testCutOff(void)
{
    static const char whole[] = HEADER SECTION DATA;

    for (gsize length = 1; length < sizeof(whole); length++) {
        g_autoptr(GError) error = NULL;
        int fd = makeFile(whole, length);

        if (length <= 19 || whole[length - 1] != '\0') {
            g_assert_false(dmStateCheckFile(fd, LIMIT, DM_IMAGE_LINUX, &error));
            g_assert_error(error, DM_ERROR, DM_ERROR_STATE);
        }
        close(fd);
    }
    assertBad(DM_IMAGE_LINUX, BYTES(HEADER SECTION DATA), "cut off");
}

/* A bit that fell over is seen in all that is known of the form: magic, version, type, end mark. */
static void
testBits(void)
{
    static const char whole[] = HEADER SECTION DATA "\0";
    const gsize length = sizeof(whole) - 1;

    for (gsize place = 0; place < length; place++) {
        for (guint bit = 0; (place < 9 || place == length - 1) && bit < 8; bit++) {
            g_autoptr(GError) error = NULL;
            g_autofree char *data = g_memdup2(whole, length);
            int fd;

            data[place] = (char)((guint8)data[place] ^ (1U << bit));
            fd = makeFile(data, length);
            g_assert_false(dmStateCheckFile(fd, LIMIT, DM_IMAGE_LINUX, &error));
            g_assert_error(error, DM_ERROR, DM_ERROR_STATE);
            close(fd);
        }
    }
}

static void
testLimit(void)
{
    g_autofree char *data = g_malloc0(LIMIT + 1);

    memcpy(data, BYTES(HEADER SECTION));
    assertGood(DM_IMAGE_LINUX, data, LIMIT);
    assertBad(DM_IMAGE_LINUX, data, LIMIT + 1, "save-limit allows 65536");
}

static void
testNoFile(void)
{
    g_autoptr(GError) error = NULL;
    int fds[2];

    g_assert_cmpint(pipe(fds), ==, 0);
    g_assert_false(dmStateCheckFile(fds[0], LIMIT, DM_IMAGE_LINUX, &error));
    g_assert_error(error, DM_ERROR, DM_ERROR_STATE);
    close(fds[0]);
    close(fds[1]);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/device-state/good", testGood);
    g_test_add_func("/device-state/long-name", testLongName);
    g_test_add_func("/device-state/no-state", testNoState);
    g_test_add_func("/device-state/cut-off", testCutOff);
    g_test_add_func("/device-state/bits", testBits);
    g_test_add_func("/device-state/limit", testLimit);
    g_test_add_func("/device-state/no-file", testNoFile);
    return g_test_run();
}
