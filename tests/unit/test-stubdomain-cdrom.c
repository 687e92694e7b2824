/*
 * Unit tests of CD-ROM media on the stubdomain's side
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The test is QEMU at the other end of a socket pair, and a directory stands
 * for /dev.
 */

#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stubdomain/init_cdrom.h"
#include "stubdomain/init_error.h"

typedef struct {
    InitUevents *uevents;
    InitQmp *qmp;
    InitCdrom *cdrom;
    char *directory;
    int qemu;
    guint ended; /* calls of done */
    GError *error;
} Fixture;

static void
onReady(gpointer data)
{
}

static void
onEvent(const char *name, JsonNode *value, gpointer data)
{
}

static void
done(const GError *error, gpointer data)
{
    Fixture *f = data;

    f->ended++;
    g_clear_error(&f->error);
    f->error = error ? g_error_copy(error) : NULL;
}

static void
setUp(Fixture *f, gconstpointer data)
{
    int pair[2];
    g_autoptr(GError) error = NULL;

    f->directory = g_dir_make_tmp("stubdom-cdrom-XXXXXX", &error);
    g_assert_no_error(error);
    f->uevents = initUeventsNew(&error);
    g_assert_no_error(error);
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
    f->qemu = pair[0];
    f->qmp = initQmpNew(pair[1], onReady, onEvent, f);
    f->cdrom = initCdromNew(f->uevents, f->qmp, f->directory, 5);
}

static void
tearDown(Fixture *f, gconstpointer data)
{
    g_autofree char *node = g_build_filename(f->directory, "xvdd", NULL);

    initQmpFree(f->qmp);
    initCdromFree(f->cdrom);
    initUeventsFree(f->uevents);
    close(f->qemu);
    (void)g_unlink(node);
    g_assert_cmpint(g_rmdir(f->directory), ==, 0);
    g_free(f->directory);
    g_clear_error(&f->error);
}

static void
appear(Fixture *f)
{
    g_autofree char *node = g_build_filename(f->directory, "xvdd", NULL);

    g_assert_true(g_file_set_contents(node, "", 0, NULL));
}

/* QEMU was asked for @before, /dev and @after, and answers @answer. */
static void
qemu(Fixture *f, const char *before, const char *after, const char *answer)
{
    char text[1024] = {0};
    g_autofree char *expected = g_strconcat(before, f->directory, after, NULL);

    g_assert_cmpint(recv(f->qemu, text, sizeof(text) - 1, MSG_DONTWAIT), >, 0);
    g_assert_true(g_str_has_prefix(text, expected));
    g_assert_cmpint(send(f->qemu, answer, strlen(answer), 0), ==, (gssize)strlen(answer));
    while (g_main_context_iteration(NULL, FALSE))
        ;
}

#define CHANGE_BEFORE                                                                                                  \
    "{\"execute\":\"blockdev-change-medium\",\"arguments\":{\"id\":\"ide-5632\",\"force\":false,\"filename\":\""
#define CHANGE_AFTER "/xvdd\",\"format\":\"host_device\",\"read-only-mode\":\"read-only\"}"

static void
testInsert(Fixture *f, gconstpointer data)
{
    appear(f);
    initCdromInsert(f->cdrom, "ide-5632,xvdd", done, f);
    g_assert_cmpuint(f->ended, ==, 0);
    qemu(f, CHANGE_BEFORE, CHANGE_AFTER, "{\"return\":{},\"id\":1}\n");
    g_assert_cmpuint(f->ended, ==, 1);
    g_assert_no_error(f->error);
}

/* The PV disk comes when its backend has answered. */
static void
testInsertAppearsLater(Fixture *f, gconstpointer data)
{
    char text[16];

    initCdromInsert(f->cdrom, "ide-5632,xvdd", done, f);
    while (g_main_context_iteration(NULL, FALSE))
        ;
    g_assert_cmpint(recv(f->qemu, text, sizeof(text), MSG_DONTWAIT), <, 0);
    appear(f);
    initUeventsRecheck(f->uevents);
    qemu(f, CHANGE_BEFORE, CHANGE_AFTER, "{\"error\":{\"desc\":\"tray is locked\"},\"id\":1}\n");
    g_assert_cmpuint(f->ended, ==, 1);
    g_assert_error(f->error, INIT_ERROR, INIT_ERROR_QMP);
    g_assert_nonnull(strstr(f->error->message, "tray is locked"));
}

static void
testParse(void)
{
    static const char *const bad[] = {
        "",
        ",",
        "ide-5632,",
        "ide-5632,xvd",
        "ide-5632,xvdA",
        "ide-5632,xvdaa",
        "ide-5632,../xvda",
        "ide-5632,force,xvda",
        "ide-5632,xvda,xvdb",
        "ide 5632,xvda",
        "a12345678901234567890123456789012,xvda",
    };
    InitCdromRequest request;
    g_autoptr(GError) error = NULL;

    g_assert_true(initCdromParse("ide-5632,xvdd,force", &request, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(request.drive, ==, "ide-5632");
    g_assert_cmpstr(request.device, ==, "xvdd");
    g_assert_true(request.force);
    g_assert_true(initCdromParse("ide-5632", &request, &error));
    g_assert_cmpstr(request.device, ==, "");
    g_assert_false(request.force);
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_false(initCdromParse(bad[i], &request, &error));
        g_assert_error(error, INIT_ERROR, INIT_ERROR_ARGUMENT);
        g_clear_error(&error);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/stubdomain/cdrom/parse", testParse);
    g_test_add("/stubdomain/cdrom/insert", Fixture, NULL, setUp, testInsert, tearDown);
    g_test_add("/stubdomain/cdrom/appears-later", Fixture, NULL, setUp, testInsertAppearsLater, tearDown);
    return g_test_run();
}
