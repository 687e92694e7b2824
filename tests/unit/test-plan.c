/*
 * Unit tests of the planner: golden files
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Each plan/NAME.args is a guest as libxl describes it: its command line, one
 * argument a line, and before it its disks as lines
 *
 *     disk VDEV FORMAT rw|ro|cdrom [backend=DOMID] [script=NAME] PATH
 *
 * with PATH "-" for no medium and a '#' for comments. Beside it are
 * NAME.linux.json and NAME.minios.json, the plan for each kind of image, or
 * NAME.linux.error and NAME.minios.error, the message it is refused with.
 * They are the mapping's table: UPDATE_GOLDEN=1 writes them anew, and each
 * change of one is to be read.
 */

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>

#include "dm_error.h"
#include "dm_plan.h"

static char *noCapabilities[] = {NULL};
static char *displayCapability[] = {(char *)"display", NULL};
static const struct {
    const char *kind;
    DmImage image;
} images[] = {
    {
        "linux",
        {
            .kind = DM_IMAGE_LINUX,
            .kernel = (char *)"/images/vmlinuz",
            .ramdisk = (char *)"/images/initrd",
            .commandLine = (char *)"console=hvc0",
            .memory = 96,
            .capabilities = displayCapability,
        },
    },
    {
        "minios",
        {
            .kind = DM_IMAGE_MINIOS,
            .kernel = (char *)"/images/ioemu-stubdom.gz",
            .commandLine = (char *)"",
            .memory = 32,
            .capabilities = noCapabilities,
        },
    },
};

typedef struct {
    DmOptions *options;
    DmGuest *guest;
} Case;

static void
caseFree(Case *input)
{
    dmOptionsFree(input->options);
    dmGuestFree(input->guest);
    g_free(input);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Case, caseFree)

/* "hda raw rw script=x /path of the disk" */
static DmDisk *
parseDisk(const char *line, GError **error)
{
    g_auto(GStrv) words = g_strsplit(line, " ", 4);
    DmDisk *disk;
    char *rest;

    g_assert_cmpuint(g_strv_length(words), ==, 4);
    disk = dmDiskNew(words[0], error);
    if (!disk) {
        return NULL;
    }
    disk->format = g_str_equal(words[1], "empty") ? NULL : g_strdup(words[1]);
    disk->readonly = !g_str_equal(words[2], "rw");
    disk->cdrom = g_str_equal(words[2], "cdrom");
    for (rest = words[3]; *rest != '/' && *rest != '-' && strchr(rest, ' '); rest = strchr(rest, ' ') + 1) {
        if (g_str_has_prefix(rest, "backend=")) {
            disk->backend = (guint)g_ascii_strtoull(rest + strlen("backend="), NULL, 10);
        } else {
            g_assert_true(g_str_has_prefix(rest, "script="));
            disk->script = g_strndup(rest + strlen("script="), strcspn(rest + strlen("script="), " "));
        }
    }
    disk->path = g_str_equal(rest, "-") ? NULL : g_strdup(rest);
    return disk;
}

/* What xen-stubdom-dm makes of a case before it plans. */
static Case *
caseRead(const char *file, GError **error)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    g_autoptr(Case) input = g_new0(Case, 1);

    g_assert_true(g_file_get_contents(file, &text, NULL, NULL));
    g_assert_true(g_str_has_suffix(text, "\n"));
    text[strlen(text) - 1] = '\0';
    lines = g_strsplit(text, "\n", -1);
    g_ptr_array_add(argv, (gpointer) "xen-stubdom-dm");
    for (char **line = lines; *line; line++) {
        if (**line != '#' && !g_str_has_prefix(*line, "disk ")) {
            g_ptr_array_add(argv, *line);
        }
    }
    g_ptr_array_add(argv, NULL);
    input->options = dmOptionsParse((int)argv->len - 1, (char **)argv->pdata, error);
    input->guest = input->options ? dmGuestFromOptions(input->options, error) : NULL;
    if (!input->guest) {
        return NULL;
    }
    for (char **line = lines; *line; line++) {
        DmDisk *disk;

        if (!g_str_has_prefix(*line, "disk ")) {
            continue;
        }
        disk = parseDisk(*line + strlen("disk "), error);
        if (!disk) {
            return NULL;
        }
        g_ptr_array_add(input->guest->disks, disk);
    }
    return g_steal_pointer(&input);
}

static void
showDifference(const char *expectedFile, const char *actual)
{
    g_autoptr(GSubprocess) diff = NULL;
    g_autofree char *out = NULL;

    diff = g_subprocess_new(G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE, NULL, "diff", "-u",
                            expectedFile, "-", NULL);
    if (diff && g_subprocess_communicate_utf8(diff, actual, NULL, &out, NULL, NULL)) {
        g_test_message("%s", out);
    } else {
        g_test_message("it is:\n%s", actual);
    }
}

/* Holds @actual against the golden file for @extension; the file for @other must not exist. */
static void
compare(const char *stem, const char *extension, const char *other, const char *actual)
{
    g_autofree char *file = g_strconcat(stem, extension, NULL);
    g_autofree char *otherFile = g_strconcat(stem, other, NULL);
    g_autofree char *expected = NULL;

    if (g_getenv("UPDATE_GOLDEN")) {
        g_assert_true(g_file_set_contents(file, actual, -1, NULL));
        (void)g_remove(otherFile);
        return;
    }
    if (g_file_test(otherFile, G_FILE_TEST_EXISTS)) {
        g_test_message("%s was expected, but there is:\n%s", otherFile, actual);
        g_test_fail();
        return;
    }
    if (!g_file_get_contents(file, &expected, NULL, NULL) || !g_str_equal(expected, actual)) {
        g_test_message("%s differs", file);
        showDifference(file, actual);
        g_test_fail();
    }
}

static void
testCase(gconstpointer opaque)
{
    const char *file = opaque;
    g_autofree char *name = g_strndup(file, strlen(file) - strlen(".args"));

    for (gsize i = 0; i < G_N_ELEMENTS(images); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Case) input = caseRead(file, &error);
        g_autoptr(DmPlan) plan = NULL;
        g_autofree char *stem = g_strdup_printf("%s.%s", name, images[i].kind);
        g_autofree char *text = NULL;

        if (input) {
            plan = dmPlanMake(input->guest, &images[i].image, input->options, &error);
        }
        if (plan) {
            g_autofree char *json = dmPlanToJson(plan);

            g_assert_no_error(error);
            text = g_strconcat(json, "\n", NULL);
            compare(stem, ".json", ".error", text);
        } else {
            g_assert_nonnull(error);
            text = g_strconcat(error->message, "\n", NULL);
            compare(stem, ".error", ".json", text);
        }
    }
}

/* The same guest gives the same plan, and is not changed by planning. */
static void
testPure(void)
{
    g_autofree char *file = g_test_build_filename(G_TEST_DIST, "plan", "everything.args", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(Case) input = caseRead(file, &error);
    g_autoptr(DmPlan) first = NULL;
    g_autoptr(DmPlan) second = NULL;
    g_autofree char *firstText = NULL;
    g_autofree char *secondText = NULL;

    g_assert_no_error(error);
    first = dmPlanMake(input->guest, &images[0].image, input->options, &error);
    second = dmPlanMake(input->guest, &images[0].image, input->options, &error);
    g_assert_no_error(error);
    firstText = dmPlanToJson(first);
    secondText = dmPlanToJson(second);
    g_assert_cmpstr(firstText, ==, secondText);
}

static Case *
vncCase(void)
{
    g_autofree char *file = g_test_build_filename(G_TEST_DIST, "plan", "vnc.args", NULL);
    g_autoptr(GError) error = NULL;
    Case *input = caseRead(file, &error);

    g_assert_no_error(error);
    return input;
}

/* An image that cannot show a display is named, and so is what to do. */
static void
testNoDisplay(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Case) input = vncCase();
    DmImage image = images[0].image;
    g_autoptr(DmPlan) plan = NULL;

    image.name = (char *)"old";
    image.capabilities = noCapabilities;
    plan = dmPlanMake(input->guest, &image, input->options, &error);
    g_assert_error(error, DM_ERROR, DM_ERROR_UNSUPPORTED);
    g_assert_nonnull(strstr(error->message, "'old'"));
    g_assert_null(plan);
}

/* The picture's size is the guest's; its memory follows it, but what was said of the memory counts. */
static void
testDisplaySize(void)
{
    static const struct {
        guint width, height, said, memory;
        const char *words;
    } cases[] = {
        {800, 600, 0, 96 + 8 + 5 * 2, "console=hvc0 xen_fbfront.video=2,800,600"},
        {2560, 1600, 0, 96 + 8 + 5 * 16, "console=hvc0 xen_fbfront.video=16,2560,1600"},
        {2560, 1600, 128, 128, "console=hvc0 xen_fbfront.video=16,2560,1600"},
        {4096, 4096, 0, 96 + 8 + 5 * 64, "console=hvc0 xen_fbfront.video=64,4096,4096"},
        {4097, 600, 0, 0, NULL},
        {800, G_MAXUINT, 0, 0, NULL},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Case) input = vncCase();
        g_autoptr(DmPlan) plan = NULL;

        input->guest->displayWidth = cases[i].width;
        input->guest->displayHeight = cases[i].height;
        input->options->memory = cases[i].said;
        plan = dmPlanMake(input->guest, &images[0].image, input->options, &error);
        if (!cases[i].words) {
            g_assert_error(error, DM_ERROR, DM_ERROR_UNSUPPORTED);
            continue;
        }
        g_assert_no_error(error);
        g_assert_cmpstr(plan->commandLine, ==, cases[i].words);
        g_assert_cmpuint(plan->memory, ==, cases[i].memory);
    }
}

int
main(int argc, char **argv)
{
    g_autofree char *directory = NULL;
    g_autoptr(GDir) dir = NULL;
    g_autoptr(GError) error = NULL;
    const char *name;

    g_test_init(&argc, &argv, NULL);
    directory = g_test_build_filename(G_TEST_DIST, "plan", NULL);
    dir = g_dir_open(directory, 0, &error);
    g_assert_no_error(error);
    while ((name = g_dir_read_name(dir))) {
        if (g_str_has_suffix(name, ".args")) {
            g_autofree char *stem = g_strndup(name, strlen(name) - strlen(".args"));
            g_autofree char *path = g_strconcat("/plan/", stem, NULL);

            g_test_add_data_func_full(path, g_build_filename(directory, name, NULL), testCase, g_free);
        }
    }
    g_test_add_func("/plan/pure", testPure);
    g_test_add_func("/plan/no-display", testNoDisplay);
    g_test_add_func("/plan/display-size", testDisplaySize);
    return g_test_run();
}
