/*
 * Unit tests of lists of CPUs
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <string.h>

#include "dm_cpus.h"
#include "dm_error.h"

static void
testGood(void)
{
    static const struct {
        const char *list;
        guint8 first[2];
    } good[] = {
        {"0", {0x01, 0x00}},    {"0-3,8", {0x0f, 0x01}},  {"8,1-1", {0x02, 0x01}},
        {"4095", {0x00, 0x00}}, {"0-4095", {0xff, 0xff}},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
        guint8 map[DM_CPUS_MAX / 8] = {0};
        g_autoptr(GError) error = NULL;

        g_assert_true(dmCpusParse(good[i].list, map, &error));
        g_assert_no_error(error);
        g_assert_cmpmem(map, 2, good[i].first, 2);
        g_assert_cmpuint(map[DM_CPUS_MAX / 8 - 1] >> 7, ==, g_str_has_suffix(good[i].list, "4095") ? 1 : 0);
        g_assert_true(dmCpusParse(good[i].list, NULL, &error));
    }
}

static void
testBad(void)
{
    static const char *const bad[] = {"",      ",",    "0,",     "a",  "-1", "3-2", "1-",
                                      "1-2-3", "4096", "0-4096", "^1", " 1", "all"};

    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(dmCpusParse(bad[i], NULL, &error));
        g_assert_error(error, DM_ERROR, DM_ERROR_ARGUMENT);
        g_assert_nonnull(strstr(error->message, bad[i]));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cpus/good", testGood);
    g_test_add_func("/cpus/bad", testBad);
    return g_test_run();
}
