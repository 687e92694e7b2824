/*
 * Randomness of the stubdomain, see the header
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "init_entropy.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "init_error.h"
#include "protocol/stubdom_paths.h"

#define RANDOM_PATH "/dev/random"

gboolean
initEntropyParse(const char *text, guint8 *bytes, GError **error)
{
    gboolean valid = strlen(text) == (gsize)2 * STUBDOM_RANDOM_SEED_BYTES;

    for (gsize i = 0; valid && i < STUBDOM_RANDOM_SEED_BYTES; i++) {
        int high = g_ascii_xdigit_value(text[2 * i]);
        int low = g_ascii_xdigit_value(text[2 * i + 1]);

        valid = high >= 0 && low >= 0;
        bytes[i] = (guint8)(valid ? high << 4 | low : 0);
    }
    if (!valid)
        g_set_error(error, INIT_ERROR, INIT_ERROR_ARGUMENT, "the random seed is not %u hexadecimal digits",
                    2 * STUBDOM_RANDOM_SEED_BYTES);
    return valid;
}

gboolean
initEntropyAdd(const char *text, GError **error)
{
    guint32 pool[(sizeof(struct rand_pool_info) + STUBDOM_RANDOM_SEED_BYTES) / sizeof(guint32)];
    struct rand_pool_info info = {.entropy_count = 8 * STUBDOM_RANDOM_SEED_BYTES,
                                  .buf_size = STUBDOM_RANDOM_SEED_BYTES};
    guint8 bytes[STUBDOM_RANDOM_SEED_BYTES];
    int number = 0;
    int fd = -1;

    if (!initEntropyParse(text, bytes, error))
        return FALSE;
    memcpy(pool, &info, sizeof(info));
    memcpy((char *)pool + sizeof(info), bytes, sizeof(bytes));
    fd = open(RANDOM_PATH, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || ioctl(fd, RNDADDENTROPY, pool) < 0)
        number = errno;
    if (fd >= 0)
        close(fd);
    if (number != 0)
        initErrorSetErrno(error, number, "cannot give random bytes to the kernel");
    return number == 0;
}
