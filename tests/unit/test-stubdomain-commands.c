/*
 * Unit tests of the stubdomain's side of the command protocol
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The test is QEMU at the other end of a socket pair, the console is a
 * pseudo-terminal, and xenstore is a table in this file: it defines the
 * functions of init_xenstore.h itself and notes every write, because the
 * order of writes is the protocol.
 */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stubdomain/init_commands.h"
#include "stubdomain/init_error.h"

#define DM "device-model/7/"

typedef struct {
    InitXenstoreChanged changed;
    gpointer data;
} Watch;

struct InitXenstore {
    GHashTable *nodes;   /* path → value */
    GHashTable *watches; /* path → Watch */
    GString *written;    /* "path=value;" and "-path;" in their order */
};

typedef struct {
    InitXenstore store;
    InitUevents *uevents;
    int qemu;
    InitQmp *qmp;
    int terminal;
    InitCommands *commands;
} Fixture;

char *
initXenstoreRead(InitXenstore *store, const char *path, gsize *length, GError **error)
{
    const char *value = g_hash_table_lookup(store->nodes, path);

    if (!value)
        g_set_error(error, INIT_ERROR, INIT_ERROR_XENSTORE, "no node %s", path);
    return g_strdup(value);
}

char *
initXenstoreReadOptional(InitXenstore *store, const char *path)
{
    return initXenstoreRead(store, path, NULL, NULL);
}

gboolean
initXenstoreWrite(InitXenstore *store, const char *path, const char *value, GError **error)
{
    g_hash_table_insert(store->nodes, g_strdup(path), g_strdup(value));
    g_string_append_printf(store->written, "%s=%s;", g_str_has_prefix(path, DM) ? path + strlen(DM) : path, value);
    return TRUE;
}

gboolean
initXenstoreRemove(InitXenstore *store, const char *path, GError **error)
{
    g_string_append_printf(store->written, "-%s;", g_str_has_prefix(path, DM) ? path + strlen(DM) : path);
    return g_hash_table_remove(store->nodes, path);
}

gboolean
initXenstoreWatch(InitXenstore *store, const char *path, InitXenstoreChanged changed, gpointer data, GError **error)
{
    Watch *watch = g_new0(Watch, 1);

    watch->changed = changed;
    watch->data = data;
    g_hash_table_insert(store->watches, g_strdup(path), watch);
    return TRUE;
}

static void
onReady(gpointer data)
{
}

static void
onEvent(const char *name, JsonNode *value, gpointer data)
{
    Fixture *f = data;

    initCommandsEvent(f->commands, name, value);
}

static void
expectWritten(Fixture *f, const char *expected)
{
    g_assert_cmpstr(f->store.written->str, ==, expected);
    g_string_truncate(f->store.written, 0);
}

static void
setUp(Fixture *f, gconstpointer data)
{
    int pair[2];
    g_autoptr(GError) error = NULL;

    f->store.nodes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    f->store.watches = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    f->store.written = g_string_new(NULL);
    f->uevents = initUeventsNew(&error);
    g_assert_no_error(error);
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
    f->qemu = pair[0];
    f->qmp = initQmpNew(pair[1], onReady, onEvent, f);
    f->terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    g_assert_cmpint(f->terminal, >=, 0);
    g_assert_cmpint(grantpt(f->terminal), ==, 0);
    g_assert_cmpint(unlockpt(f->terminal), ==, 0);
    f->commands = initCommandsNew(&f->store, f->uevents, f->qmp, 7, 1, 1, ptsname(f->terminal), &error);
    g_assert_no_error(error);
    expectWritten(f, "state=running;");
}

static void
tearDown(Fixture *f, gconstpointer data)
{
    initQmpFree(f->qmp);
    initCommandsFree(f->commands);
    initUeventsFree(f->uevents);
    close(f->qemu);
    close(f->terminal);
    g_hash_table_unref(f->store.nodes);
    g_hash_table_unref(f->store.watches);
    g_string_free(f->store.written, TRUE);
}

static void
settle(void)
{
    while (g_main_context_iteration(NULL, FALSE))
        ;
}

static void
set(Fixture *f, const char *path, const char *value)
{
    Watch *watch = NULL;

    g_hash_table_insert(f->store.nodes, g_strdup(path), g_strdup(value));
    watch = g_hash_table_lookup(f->store.watches, path);
    if (watch)
        watch->changed(watch->data);
    settle();
}

/* What a toolstack writes. */
static void
command(Fixture *f, const char *word, const char *parameter)
{
    if (parameter)
        set(f, DM "parameter", parameter);
    set(f, DM "command", word);
}

/* QEMU is asked @expected (all but the id), and answers @answer, in which ID stands for the id. */
static void
qemu(Fixture *f, const char *expected, const char *answer)
{
    char text[1024] = {0};
    char *id = NULL;
    g_auto(GStrv) parts = NULL;
    g_autofree char *line = NULL;

    g_assert_cmpint(recv(f->qemu, text, sizeof(text) - 1, MSG_DONTWAIT), >, 0);
    id = g_strrstr(text, ",\"id\":");
    g_assert_nonnull(id);
    *id = '\0';
    g_assert_cmpstr(text, ==, expected);
    id += strlen(",\"id\":");
    id[strspn(id, "0123456789")] = '\0';
    parts = g_strsplit(answer, "ID", -1);
    line = g_strjoinv(id, parts);
    g_assert_cmpint(send(f->qemu, line, strlen(line), 0), ==, (gssize)strlen(line));
    settle();
}

static void
qemuIsNotAsked(Fixture *f)
{
    char text[16];

    g_assert_cmpint(recv(f->qemu, text, sizeof(text), MSG_DONTWAIT), <, 0);
}

static void
awaitWrite(Fixture *f)
{
    while (f->store.written->len == 0)
        g_main_context_iteration(NULL, TRUE);
}

#define OK "{\"return\":{},\"id\":ID}\n"
#define REFUSED "{\"error\":{\"desc\":\"no\"},\"id\":ID}\n"

static void
testUnknown(Fixture *f, gconstpointer data)
{
    static const char *const words[] = {"", "s", "savee", "bogus", "enable", "usb-add"};

    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        command(f, words[i], NULL);
        expectWritten(f, "-command;");
    }
    qemuIsNotAsked(f);
}

static void
save(Fixture *f)
{
    g_autofree char *asked =
        g_strdup_printf("{\"execute\":\"xen-save-devices-state\",\"arguments\":{\"filename\":\"%s\",\"live\":false}",
                        ptsname(f->terminal));

    command(f, "save", NULL);
    expectWritten(f, "-command;");
    qemu(f, "{\"execute\":\"stop\"", OK);
    qemu(f, asked, OK);
    awaitWrite(f);
    expectWritten(f, "state=paused;");
}

static void
testSaveContinue(Fixture *f, gconstpointer data)
{
    save(f);
    command(f, "save", NULL);
    expectWritten(f, "-command;");
    qemuIsNotAsked(f);
    command(f, "continue", NULL);
    qemu(f, "{\"execute\":\"cont\"", OK);
    expectWritten(f, "-command;state=running;");
    command(f, "continue", NULL);
    expectWritten(f, "-command;");
    qemuIsNotAsked(f);
    save(f);
}

/* Nothing may say "paused" then, and the guest has to go on. */
static void
testSaveFails(Fixture *f, gconstpointer data)
{
    g_autofree char *asked =
        g_strdup_printf("{\"execute\":\"xen-save-devices-state\",\"arguments\":{\"filename\":\"%s\",\"live\":false}",
                        ptsname(f->terminal));

    command(f, "save", NULL);
    qemu(f, "{\"execute\":\"stop\"", OK);
    qemu(f, asked, REFUSED);
    qemu(f, "{\"execute\":\"cont\"", OK);
    expectWritten(f, "-command;state=save-failed;");
    save(f);
}

/* A command that comes too early is not lost and not mixed up. */
static void
testQueued(Fixture *f, gconstpointer data)
{
    command(f, "save", NULL);
    set(f, DM "logdirty/cmd", "enable");
    command(f, "pci-rem", "junk");
    expectWritten(f, "-command;");
    qemu(f, "{\"execute\":\"stop\"", REFUSED);
    qemu(f, "{\"execute\":\"cont\"", OK);
    qemu(f, "{\"execute\":\"xen-set-global-dirty-log\",\"arguments\":{\"enable\":true}", OK);
    expectWritten(f, "state=save-failed;-command;state=pci-remove-failed;logdirty/ret=enable;");
}

static void
testLogdirty(Fixture *f, gconstpointer data)
{
    set(f, DM "logdirty/cmd", "disable");
    qemu(f, "{\"execute\":\"xen-set-global-dirty-log\",\"arguments\":{\"enable\":false}", OK);
    expectWritten(f, "logdirty/ret=disable;");
    set(f, DM "logdirty/cmd", "enable");
    qemu(f, "{\"execute\":\"xen-set-global-dirty-log\",\"arguments\":{\"enable\":true}", REFUSED);
    expectWritten(f, "");
    set(f, DM "logdirty/cmd", "save");
    qemuIsNotAsked(f);
    expectWritten(f, "");
}

static void
testPciRemove(Fixture *f, gconstpointer data)
{
    const char *asked = "{\"execute\":\"device_del\",\"arguments\":{\"id\":\"pci-0000-00-05-0\"}";
    const char *deleted = "{\"event\":\"DEVICE_DELETED\",\"data\":{\"device\":\"pci-0000-00-05-0\"}}\n";
    g_autofree char *both = g_strconcat(deleted, OK, NULL);

    command(f, "pci-rem", "0000:00:05.0");
    qemu(f, asked, OK "{\"event\":\"DEVICE_DELETED\",\"data\":{\"device\":\"other\"}}\n");
    expectWritten(f, "-command;");
    g_assert_cmpint(send(f->qemu, deleted, strlen(deleted), 0), >, 0);
    settle();
    expectWritten(f, "state=pci-removed;");

    command(f, "pci-rem", "0000:00:05.0");
    qemu(f, asked, both);
    expectWritten(f, "-command;state=pci-removed;");

    command(f, "pci-rem", "0000:00:05.0");
    qemu(f, asked, REFUSED);
    qemu(f, "{\"execute\":\"query-pci\"",
         "{\"return\":[{\"bus\":0,\"devices\":[{\"qdev_id\":\"pci-0000-00-05-0\",\"slot\":5,\"function\":0}]}],"
         "\"id\":ID}\n");
    expectWritten(f, "-command;state=pci-remove-failed;");

    /* It went after the deadline of an earlier command. */
    command(f, "pci-rem", "0000:00:05.0");
    qemu(f, asked, REFUSED);
    qemu(f, "{\"execute\":\"query-pci\"", "{\"return\":[{\"bus\":0,\"devices\":[]}],\"id\":ID}\n");
    expectWritten(f, "-command;state=pci-removed;");

    /* The guest does not let go: the deadline of one second. */
    command(f, "pci-rem", "0000:00:05.0");
    qemu(f, asked, OK);
    expectWritten(f, "-command;");
    awaitWrite(f);
    expectWritten(f, "state=pci-remove-failed;");
}

static void
testPciInsertFails(Fixture *f, gconstpointer data)
{
    command(f, "pci-ins", "00:05.0");
    expectWritten(f, "-command;state=pci-insert-failed;");
    g_hash_table_remove(f->store.nodes, DM "parameter");
    command(f, "pci-ins", NULL);
    expectWritten(f, "-command;state=pci-insert-failed;");
    qemuIsNotAsked(f);

    /* No such device: the deadline of one second. */
    command(f, "pci-ins", "0000:00:05.0,msitranslate=0,power_mgmt=0");
    expectWritten(f, "-command;");
    awaitWrite(f);
    expectWritten(f, "state=pci-insert-failed;");
    qemuIsNotAsked(f);
}

static void
testCdrom(Fixture *f, gconstpointer data)
{
    static const char *const bad[] = {"", "IDE", "ide-5632,xvdc", "ide-5632,xvdc,force", "ide-5632,forced", "a b"};

    command(f, "cdrom-eject", "ide-5632");
    qemu(f, "{\"execute\":\"eject\",\"arguments\":{\"id\":\"ide-5632\",\"force\":false}", OK);
    expectWritten(f, "-command;state=cdrom-ejected;");
    command(f, "cdrom-eject", "ide-5632,force");
    qemu(f, "{\"execute\":\"eject\",\"arguments\":{\"id\":\"ide-5632\",\"force\":true}", REFUSED);
    expectWritten(f, "-command;state=cdrom-eject-failed;");
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        command(f, "cdrom-eject", bad[i]);
        expectWritten(f, "-command;state=cdrom-eject-failed;");
    }
    command(f, "cdrom-insert", "ide-5632");
    expectWritten(f, "-command;state=cdrom-insert-failed;");
    qemuIsNotAsked(f);

    /* No such PV disk: the deadline of one second. */
    command(f, "cdrom-insert", "ide-5632,xvdz");
    expectWritten(f, "-command;");
    awaitWrite(f);
    expectWritten(f, "state=cdrom-insert-failed;");
    qemuIsNotAsked(f);
}

/* Two sockets of two cores as QEMU lists them: backwards, and only the first is there. */
#define CPU_PLACE(socket, core)                                                                                        \
    "\"type\":\"qemu64-x86_64-cpu\",\"props\":{\"socket-id\":" socket ",\"core-id\":" core ",\"thread-id\":0}"
#define CPU_LIST                                                                                                       \
    "{\"return\":[{" CPU_PLACE("1", "1") "},{" CPU_PLACE("1", "0") "},{" CPU_PLACE(                                    \
        "0", "1") "},{\"qom-path\":\"/machine/unattached/device[0]\"," CPU_PLACE("0", "0") "}],\"id\":ID}\n"
#define CPU_ASKED "{\"execute\":\"query-hotpluggable-cpus\""

static void
testCpuAdd(Fixture *f, gconstpointer data)
{
    static const char *const bad[] = {"", "x", "-1", "128", "1,2", "0001"};
    static const char *const lists[] = {"{\"return\":[],\"id\":ID}\n", "{\"return\":{},\"id\":ID}\n",
                                        "{\"return\":[1,null,{}],\"id\":ID}\n", REFUSED};

    command(f, "cpu-add", "2");
    qemu(f, CPU_ASKED, CPU_LIST);
    qemu(f,
         "{\"execute\":\"device_add\",\"arguments\":{\"driver\":\"qemu64-x86_64-cpu\",\"id\":\"cpu-2\","
         "\"socket-id\":1,\"core-id\":0,\"thread-id\":0}",
         OK);
    expectWritten(f, "-command;state=cpu-added;");

    /* It is there: asked again after a deadline. */
    command(f, "cpu-add", "0");
    qemu(f, CPU_ASKED, CPU_LIST);
    expectWritten(f, "-command;state=cpu-added;");

    command(f, "cpu-add", "3");
    qemu(f, CPU_ASKED, CPU_LIST);
    qemu(f,
         "{\"execute\":\"device_add\",\"arguments\":{\"driver\":\"qemu64-x86_64-cpu\",\"id\":\"cpu-3\","
         "\"socket-id\":1,\"core-id\":1,\"thread-id\":0}",
         REFUSED);
    expectWritten(f, "-command;state=cpu-add-failed;");

    command(f, "cpu-add", "4");
    qemu(f, CPU_ASKED, CPU_LIST);
    expectWritten(f, "-command;state=cpu-add-failed;");

    for (gsize i = 0; i < G_N_ELEMENTS(lists); i++) {
        command(f, "cpu-add", "0");
        qemu(f, CPU_ASKED, lists[i]);
        expectWritten(f, "-command;state=cpu-add-failed;");
    }
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        command(f, "cpu-add", bad[i]);
        expectWritten(f, "-command;state=cpu-add-failed;");
    }
    qemuIsNotAsked(f);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/stubdomain/commands/unknown", Fixture, NULL, setUp, testUnknown, tearDown);
    g_test_add("/stubdomain/commands/save-continue", Fixture, NULL, setUp, testSaveContinue, tearDown);
    g_test_add("/stubdomain/commands/save-fails", Fixture, NULL, setUp, testSaveFails, tearDown);
    g_test_add("/stubdomain/commands/queued", Fixture, NULL, setUp, testQueued, tearDown);
    g_test_add("/stubdomain/commands/logdirty", Fixture, NULL, setUp, testLogdirty, tearDown);
    g_test_add("/stubdomain/commands/pci-remove", Fixture, NULL, setUp, testPciRemove, tearDown);
    g_test_add("/stubdomain/commands/pci-insert-fails", Fixture, NULL, setUp, testPciInsertFails, tearDown);
    g_test_add("/stubdomain/commands/cdrom", Fixture, NULL, setUp, testCdrom, tearDown);
    g_test_add("/stubdomain/commands/cpu-add", Fixture, NULL, setUp, testCpuAdd, tearDown);
    return g_test_run();
}
