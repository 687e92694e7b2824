/*
 * Descriptor of a stubdomain image
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Reads image.json with json-glib; every member is checked by one of three
 * helpers that name the file and the member in their message.
 */

#include "config.h"

#include "dm_image.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include <glib/gi18n-lib.h>
#include <json-glib/json-glib.h>

#include "dm_error.h"

/* The version of the schema this program reads. */
#define IMAGE_FORMAT 1
#define IMAGE_MEMORY_MIN 16
#define IMAGE_MEMORY_MAX 65536

static gboolean
imageError(GError **error, const char *file, const char *member, const char *need)
{
    g_set_error(error, DM_ERROR, DM_ERROR_IMAGE, _("image descriptor '%s': member '%s' must be %s"), file, member,
                need);
    return FALSE;
}

/* A string member; @required: must be there. NULL without error: not there. */
static gboolean
getString(JsonObject *object, const char *file, const char *member, gboolean required, char **value, GError **error)
{
    JsonNode *node = json_object_get_member(object, member);

    *value = NULL;
    if (!node) {
        return required ? imageError(error, file, member, _("present")) : TRUE;
    }
    if (!JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_STRING) {
        return imageError(error, file, member, _("a string"));
    }
    *value = g_strdup(json_node_get_string(node));
    return TRUE;
}

static gboolean
getNumber(JsonObject *object, const char *file, const char *member, gint64 min, gint64 max, gint64 *value,
          GError **error)
{
    JsonNode *node = json_object_get_member(object, member);

    if (!node || !JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_INT64 ||
        json_node_get_int(node) < min || json_node_get_int(node) > max) {
        g_autofree char *need = g_strdup_printf(_("a whole number from %" PRId64 " to %" PRId64), min, max);

        return imageError(error, file, member, need);
    }
    *value = json_node_get_int(node);
    return TRUE;
}

static gboolean
getWords(JsonObject *object, const char *file, const char *member, char ***words, GError **error)
{
    JsonNode *node = json_object_get_member(object, member);
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    JsonArray *array;

    if (node && !JSON_NODE_HOLDS_ARRAY(node)) {
        return imageError(error, file, member, _("an array of strings"));
    }
    array = node ? json_node_get_array(node) : NULL;
    for (guint i = 0; array && i < json_array_get_length(array); i++) {
        JsonNode *item = json_array_get_element(array, i);

        if (!JSON_NODE_HOLDS_VALUE(item) || json_node_get_value_type(item) != G_TYPE_STRING) {
            return imageError(error, file, member, _("an array of strings"));
        }
        g_strv_builder_add(builder, json_node_get_string(item));
    }
    *words = g_strv_builder_end(builder);
    return TRUE;
}

/* Makes @path absolute and checks that it is a readable file. */
static gboolean
resolveFile(const char *descriptor, char **path, GError **error)
{
    g_autofree char *directory = g_path_get_dirname(descriptor);
    char *absolute;

    if (!*path) {
        return TRUE;
    }
    absolute = g_canonicalize_filename(*path, directory);
    g_free(*path);
    *path = absolute;
    if (access(absolute, R_OK) < 0) {
        g_set_error(error, DM_ERROR, DM_ERROR_IMAGE,
                    _("cannot read '%s', which image descriptor '%s' names: %s; install the stubdomain image again"),
                    absolute, descriptor, g_strerror(errno));
        return FALSE;
    }
    if (!g_file_test(absolute, G_FILE_TEST_IS_REGULAR)) {
        g_set_error(error, DM_ERROR, DM_ERROR_IMAGE, _("'%s', which image descriptor '%s' names, is not a file"),
                    absolute, descriptor);
        return FALSE;
    }
    return TRUE;
}

static gboolean
fillImage(DmImage *image, JsonObject *object, const char *file, GError **error)
{
    g_autofree char *kind = NULL;
    gint64 format = 0;
    gint64 memory = 0;

    if (!getNumber(object, file, "format", IMAGE_FORMAT, IMAGE_FORMAT, &format, error) ||
        !getString(object, file, "name", TRUE, &image->name, error) ||
        !getString(object, file, "kind", TRUE, &kind, error) ||
        !getString(object, file, "kernel", TRUE, &image->kernel, error) ||
        !getString(object, file, "ramdisk", FALSE, &image->ramdisk, error) ||
        !getString(object, file, "cmdline", FALSE, &image->commandLine, error) ||
        !getNumber(object, file, "memory", IMAGE_MEMORY_MIN, IMAGE_MEMORY_MAX, &memory, error) ||
        !getWords(object, file, "capabilities", &image->capabilities, error)) {
        return FALSE;
    }
    if (g_str_equal(kind, "linux")) {
        image->kind = DM_IMAGE_LINUX;
    } else if (g_str_equal(kind, "minios")) {
        image->kind = DM_IMAGE_MINIOS;
    } else {
        return imageError(error, file, "kind", _("\"linux\" or \"minios\""));
    }
    image->memory = (guint)memory;
    if (!image->commandLine) {
        image->commandLine = g_strdup("");
    }
    return resolveFile(file, &image->kernel, error) && resolveFile(file, &image->ramdisk, error);
}

DmImage *
dmImageLoad(const char *name, const char *directory, GError **error)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autoptr(GError) cause = NULL;
    g_autofree char *file = NULL;
    g_autoptr(DmImage) image = g_new0(DmImage, 1);
    const char *fromEnvironment = g_getenv("STUBDOM_IMAGE_DIR");

    if (!directory) {
        directory = fromEnvironment ? fromEnvironment : STUBDOM_IMAGE_DIR;
    }
    if (g_path_is_absolute(name)) {
        file = g_strdup(name);
    } else if (strchr(name, '/')) {
        g_set_error(error, DM_ERROR, DM_ERROR_IMAGE,
                    _("'%s' is neither the name of a stubdomain image nor the absolute path of a descriptor"), name);
        return NULL;
    } else {
        file = g_build_filename(directory, name, "image.json", NULL);
    }
    if (!json_parser_load_from_file(parser, file, &cause)) {
        g_set_error(error, DM_ERROR, DM_ERROR_IMAGE,
                    _("cannot read stubdomain image '%s': %s; images are directories of '%s'"), name, cause->message,
                    directory);
        return NULL;
    }
    if (!json_parser_get_root(parser) || !JSON_NODE_HOLDS_OBJECT(json_parser_get_root(parser))) {
        g_set_error(error, DM_ERROR, DM_ERROR_IMAGE, _("image descriptor '%s' is not a JSON object"), file);
        return NULL;
    }
    if (!fillImage(image, json_node_get_object(json_parser_get_root(parser)), file, error)) {
        return NULL;
    }
    return g_steal_pointer(&image);
}

void
dmImageFree(DmImage *image)
{
    if (!image) {
        return;
    }
    g_free(image->name);
    g_free(image->kernel);
    g_free(image->ramdisk);
    g_free(image->commandLine);
    g_strfreev(image->capabilities);
    g_free(image);
}

gboolean
dmImageHas(const DmImage *image, const char *capability)
{
    return g_strv_contains((const char *const *)image->capabilities, capability);
}
