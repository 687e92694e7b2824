/*
 * Tests of how a guest's display is to be seen
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <glib.h>

#include "dm_display_config.h"
#include "dm_error.h"

static void
testVnc(void)
{
    static const struct {
        const char *value;
        const char *address; /* NULL: refused */
        guint port;
        guint lastPort;
        gboolean password;
    } rows[] = {
        {"127.0.0.1:0", "127.0.0.1", 5900, 5900, FALSE},
        {"127.0.0.1:0,to=99", "127.0.0.1", 5900, 5999, FALSE},
        {"0.0.0.0:7,password=on,to=99", "0.0.0.0", 5907, 5999, TRUE},
        {"[::1]:3,password", "::1", 5903, 5903, TRUE},
        {"::1:3", "::1", 5903, 5903, FALSE},
        {":1", "", 5901, 5901, FALSE},
        {"127.0.0.1:5,to=2", "127.0.0.1", 5905, 5905, FALSE},
        {"127.0.0.1", NULL, 0, 0, FALSE},
        {"127.0.0.1:x", NULL, 0, 0, FALSE},
        {"127.0.0.1:-1", NULL, 0, 0, FALSE},
        {"127.0.0.1:59636", NULL, 0, 0, FALSE},
        {"127.0.0.1:0,tls", NULL, 0, 0, FALSE},
        {"unix:/tmp/x", NULL, 0, 0, FALSE},
        {"", NULL, 0, 0, FALSE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(DmDisplayConfig) config = dmDisplayConfigFromVnc(rows[i].value, &error);
        const DmDisplayListen *listen;

        g_test_message("-vnc %s", rows[i].value);
        if (!rows[i].address) {
            g_assert_error(error, DM_ERROR, DM_ERROR_ARGUMENT);
            continue;
        }
        g_assert_no_error(error);
        listen = g_ptr_array_index(config->listens, 0);
        g_assert_cmpstr(listen->address, ==, rows[i].address);
        g_assert_cmpuint(listen->port, ==, rows[i].port);
        g_assert_cmpuint(listen->lastPort, ==, rows[i].lastPort);
        g_assert_cmpint(config->password, ==, rows[i].password);
    }
}

static void
testJson(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DmDisplayConfig) config = dmDisplayConfigFromJson(
        "{\"websocket\":5700,\"listen\":[{\"address\":\"::1\",\"port\":5905},{\"socket\":\"/run/x\"}],"
        "\"share\":\"force-shared\",\"password\":true,\"video-memory\":32768,\"width\":2560,\"height\":1600}",
        &error);
    const DmDisplayListen *listen;

    g_assert_no_error(error);
    g_assert_cmpuint(config->listens->len, ==, 3);
    listen = g_ptr_array_index(config->listens, 1);
    g_assert_cmpstr(listen->socket, ==, "/run/x");
    listen = g_ptr_array_index(config->listens, 2);
    g_assert_cmpstr(listen->address, ==, "::1");
    g_assert_cmpuint(listen->port, ==, 5700);
    g_assert_true(listen->websocket);
    g_assert_cmpint(config->share, ==, DM_DISPLAY_SHARE_FORCE_SHARED);
    g_assert_true(config->password);
    g_assert_cmpuint(config->memory, ==, 32 << 20);
    g_assert_cmpuint(config->width, ==, 2560);
    g_assert_cmpuint(config->height, ==, 1600);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/display-config/vnc", testVnc);
    g_test_add_func("/display-config/json", testJson);
    return g_test_run();
}
