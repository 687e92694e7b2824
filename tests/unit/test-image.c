/*
 * Unit tests of stubdomain image descriptors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <glib/gstdio.h>
#include <string.h>

#include "dm_error.h"
#include "dm_image.h"

#define HEAD "\"format\": 1, \"name\": \"linux\", \"kind\": \"linux\", \"kernel\": \"vmlinuz\""

typedef struct {
    char *directory; /* of images */
    char *image;     /* of the image "linux" */
    char *file;      /* its descriptor */
} Fixture;

static void
put(const Fixture *fixture, const char *name, const char *text)
{
    g_autofree char *file = g_build_filename(fixture->image, name, NULL);

    g_assert_true(g_file_set_contents(file, text, -1, NULL));
}

static void
setUp(Fixture *fixture, gconstpointer opaque)
{
    g_autoptr(GError) error = NULL;

    fixture->directory = g_dir_make_tmp("test-image-XXXXXX", &error);
    g_assert_no_error(error);
    fixture->image = g_build_filename(fixture->directory, "linux", NULL);
    fixture->file = g_build_filename(fixture->image, "image.json", NULL);
    g_assert_cmpint(g_mkdir(fixture->image, 0700), ==, 0);
    put(fixture, "vmlinuz", "kernel");
    put(fixture, "initrd", "ramdisk");
}

static void
tearDown(Fixture *fixture, gconstpointer opaque)
{
    static const char *const names[] = {"vmlinuz", "initrd", "image.json"};

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *file = g_build_filename(fixture->image, names[i], NULL);

        (void)g_remove(file);
    }
    g_assert_cmpint(g_rmdir(fixture->image), ==, 0);
    g_assert_cmpint(g_rmdir(fixture->directory), ==, 0);
    g_free(fixture->directory);
    g_free(fixture->image);
    g_free(fixture->file);
}

static void
assertFull(const Fixture *fixture, const DmImage *image)
{
    g_autofree char *kernel = g_build_filename(fixture->image, "vmlinuz", NULL);
    g_autofree char *ramdisk = g_build_filename(fixture->image, "initrd", NULL);

    g_assert_cmpstr(image->name, ==, "linux");
    g_assert_cmpint(image->kind, ==, DM_IMAGE_LINUX);
    g_assert_cmpstr(image->kernel, ==, kernel);
    g_assert_cmpstr(image->ramdisk, ==, ramdisk);
    g_assert_cmpstr(image->commandLine, ==, "quiet");
    g_assert_cmpuint(image->memory, ==, 96);
    g_assert_true(dmImageHas(image, "pci-remove-failed"));
    g_assert_false(dmImageHas(image, "pci-remove"));
    g_assert_false(dmImageHas(image, ""));
}

/* By name in a directory, by name in the environment's directory, and by path. */
static void
testFull(Fixture *fixture, gconstpointer opaque)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DmImage) byName = NULL;
    g_autoptr(DmImage) byEnvironment = NULL;
    g_autoptr(DmImage) byPath = NULL;

    put(fixture, "image.json",
        "{" HEAD ", \"ramdisk\": \"./../linux/initrd\", \"cmdline\": \"quiet\", \"memory\": 96,"
        " \"capabilities\": [\"x\", \"pci-remove-failed\"], \"versions\": {\"qemu\": \"7.2\"}}");
    byName = dmImageLoad("linux", fixture->directory, &error);
    g_assert_no_error(error);
    assertFull(fixture, byName);
    byPath = dmImageLoad(fixture->file, "/nonexistent", &error);
    g_assert_no_error(error);
    assertFull(fixture, byPath);
    g_setenv("STUBDOM_IMAGE_DIR", fixture->directory, TRUE);
    byEnvironment = dmImageLoad("linux", NULL, &error);
    g_unsetenv("STUBDOM_IMAGE_DIR");
    g_assert_no_error(error);
    assertFull(fixture, byEnvironment);
}

static void
testLeast(Fixture *fixture, gconstpointer opaque)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DmImage) image = NULL;

    put(fixture, "image.json",
        "{\"format\": 1, \"name\": \"m\", \"kind\": \"minios\", \"kernel\": \"vmlinuz\", \"memory\": 32}");
    image = dmImageLoad("linux", fixture->directory, &error);
    g_assert_no_error(error);
    g_assert_cmpint(image->kind, ==, DM_IMAGE_MINIOS);
    g_assert_null(image->ramdisk);
    g_assert_cmpstr(image->commandLine, ==, "");
    g_assert_cmpuint(g_strv_length(image->capabilities), ==, 0);
}

/* Each message names the file or the image, and the member. */
static void
testRefused(Fixture *fixture, gconstpointer opaque)
{
    static const struct {
        const char *text;
        const char *says;
    } cases[] = {
        {"", "image.json"},
        {"{", "linux"},
        {"[]", "not a JSON object"},
        {"\"x\"", "not a JSON object"},
        {"{}", "'format'"},
        {"{\"format\": 2}", "'format'"},
        {"{\"format\": \"1\"}", "'format'"},
        {"{\"format\": 1}", "'name'"},
        {"{\"format\": 1, \"name\": 7}", "'name'"},
        {"{\"format\": 1, \"name\": null}", "'name'"},
        {"{\"format\": 1, \"name\": \"n\"}", "'kind'"},
        {"{\"format\": 1, \"name\": \"n\", \"kind\": \"linux\"}", "'kernel'"},
        {"{\"format\": 1, \"name\": \"n\", \"kind\": \"bsd\", \"kernel\": \"vmlinuz\", \"memory\": 96}", "'kind'"},
        {"{" HEAD "}", "'memory'"},
        {"{" HEAD ", \"memory\": 15}", "'memory'"},
        {"{" HEAD ", \"memory\": 65537}", "'memory'"},
        {"{" HEAD ", \"memory\": 96.5}", "'memory'"},
        {"{" HEAD ", \"memory\": true}", "'memory'"},
        {"{" HEAD ", \"memory\": 96, \"ramdisk\": []}", "'ramdisk'"},
        {"{" HEAD ", \"memory\": 96, \"cmdline\": 1}", "'cmdline'"},
        {"{" HEAD ", \"memory\": 96, \"capabilities\": \"x\"}", "'capabilities'"},
        {"{" HEAD ", \"memory\": 96, \"capabilities\": [\"x\", 1]}", "'capabilities'"},
        {"{" HEAD ", \"memory\": 96, \"capabilities\": [[\"x\"]]}", "'capabilities'"},
        {"{" HEAD ", \"memory\": 96, \"ramdisk\": \"absent\"}", "linux/absent"},
        {"{" HEAD ", \"memory\": 96, \"ramdisk\": \".\"}", "not a file"},
        {"{" HEAD ", \"memory\": 96, \"ramdisk\": \"/nonexistent/x\"}", "/nonexistent/x"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;

        g_test_message("%s", cases[i].text);
        put(fixture, "image.json", cases[i].text);
        g_assert_null(dmImageLoad("linux", fixture->directory, &error));
        g_assert_error(error, DM_ERROR, DM_ERROR_IMAGE);
        g_test_message("%s", error->message);
        g_assert_nonnull(strstr(error->message, cases[i].says));
    }
}

static void
testName(Fixture *fixture, gconstpointer opaque)
{
    static const char *const names[] = {"absent", "../linux", "./linux", "linux/", "/nonexistent/image.json", ""};

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(dmImageLoad(names[i], fixture->directory, &error));
        g_assert_error(error, DM_ERROR, DM_ERROR_IMAGE);
        g_assert_nonnull(strstr(error->message, names[i]));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/image/full", Fixture, NULL, setUp, testFull, tearDown);
    g_test_add("/image/least", Fixture, NULL, setUp, testLeast, tearDown);
    g_test_add("/image/refused", Fixture, NULL, setUp, testRefused, tearDown);
    g_test_add("/image/name", Fixture, NULL, setUp, testName, tearDown);
    return g_test_run();
}
