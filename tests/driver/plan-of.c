/*
 * The plan for a guest as the driver describes it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 *     plan-of linux|minios CONFIG.json < ARGUMENTS
 *
 * prints what xen-stubdom-dm would plan for the libxl_domain_config in
 * CONFIG.json (`config=`) and the command line on standard input, one argument
 * a line, or says on standard error why not. libxl can read such a file only
 * with Xen, so that the few members that count are read here.
 */

#include <json-glib/json-glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dm_devices.h"
#include "dm_plan.h"

static char *linuxCapabilities[] = {(char *)"display", NULL};
static char *noCapabilities[] = {NULL};
static const DmImage images[] = {
    {
        .kind = DM_IMAGE_LINUX,
        .kernel = (char *)"/images/vmlinuz",
        .ramdisk = (char *)"/images/initrd",
        .commandLine = (char *)"console=hvc0",
        .memory = 96,
        .capabilities = linuxCapabilities,
    },
    {
        .kind = DM_IMAGE_MINIOS,
        .kernel = (char *)"/images/ioemu-stubdom.gz",
        .commandLine = (char *)"",
        .memory = 32,
        .capabilities = noCapabilities,
    },
};

static char *
stringMember(JsonObject *object, const char *name)
{
    return g_strdup(json_object_get_string_member_with_default(object, name, NULL));
}

static void
readDisk(JsonArray *array, guint index, JsonNode *node, gpointer opaque)
{
    libxl_device_disk *disk = &((libxl_domain_config *)opaque)->disks[index];
    JsonObject *object = json_node_get_object(node);
    const char *format = json_object_get_string_member_with_default(object, "format", "unknown");
    const char *backend = json_object_get_string_member_with_default(object, "backend", "unknown");

    libxl_device_disk_init(disk);
    disk->vdev = stringMember(object, "vdev");
    disk->pdev_path = stringMember(object, "pdev_path");
    disk->script = stringMember(object, "script");
    disk->readwrite = (int)json_object_get_int_member_with_default(object, "readwrite", 0);
    disk->is_cdrom = (int)json_object_get_int_member_with_default(object, "is_cdrom", 0);
    if (libxl_disk_format_from_string(format, &disk->format) ||
        libxl_disk_backend_from_string(backend, &disk->backend)) {
        g_error("format '%s' or backend '%s' is none of libxl's", format, backend);
    }
}

static void
readNic(JsonArray *array, guint index, JsonNode *node, gpointer opaque)
{
    libxl_device_nic *nic = &((libxl_domain_config *)opaque)->nics[index];
    JsonObject *object = json_node_get_object(node);

    libxl_device_nic_init(nic);
    nic->devid = (int)json_object_get_int_member_with_default(object, "devid", -1);
    nic->bridge = stringMember(object, "bridge");
    nic->script = stringMember(object, "script");
    nic->rate_bytes_per_interval =
        (uint64_t)json_object_get_int_member_with_default(object, "rate_bytes_per_interval", 0);
    nic->rate_interval_usecs = (uint32_t)json_object_get_int_member_with_default(object, "rate_interval_usecs", 0);
}

static void
readConfig(const char *file, libxl_domain_config *config)
{
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    g_autoptr(GError) error = NULL;
    JsonObject *root;
    JsonArray *disks;
    JsonArray *nics;

    if (!json_parser_load_from_file(parser, file, &error)) {
        g_error("%s", error->message);
    }
    root = json_node_get_object(json_parser_get_root(parser));
    disks = json_object_has_member(root, "disks") ? json_object_get_array_member(root, "disks") : NULL;
    nics = json_object_has_member(root, "nics") ? json_object_get_array_member(root, "nics") : NULL;
    libxl_domain_config_init(config);
    if (disks) {
        config->num_disks = (int)json_array_get_length(disks);
        config->disks = g_new0(libxl_device_disk, config->num_disks);
        json_array_foreach_element(disks, readDisk, config);
    }
    if (nics) {
        config->num_nics = (int)json_array_get_length(nics);
        config->nics = g_new0(libxl_device_nic, config->num_nics);
        json_array_foreach_element(nics, readNic, config);
    }
}

/* The lines of standard input as an argv. */
static char **
readArguments(void)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    char *line = NULL;
    size_t size = 0;
    ssize_t length;

    g_strv_builder_add(builder, "xen-stubdom-dm");
    while ((length = getline(&line, &size, stdin)) > 0) {
        line[length - 1] = '\0';
        g_strv_builder_add(builder, line);
    }
    free(line);
    return g_strv_builder_end(builder);
}

int
main(int argc, char **argv)
{
    g_auto(GStrv) arguments = readArguments();
    g_autoptr(GError) error = NULL;
    g_autoptr(DmOptions) options = dmOptionsParse((int)g_strv_length(arguments), arguments, &error);
    g_autoptr(DmGuest) guest = options ? dmGuestFromOptions(options, &error) : NULL;
    g_autoptr(DmPlan) plan = NULL;
    libxl_domain_config config;

    g_assert_cmpint(argc, ==, 3);
    readConfig(argv[2], &config);
    if (guest && dmDevicesTakeConfig(guest, &config, &error)) {
        plan = dmPlanMake(guest, &images[g_str_equal(argv[1], "minios") ? 1 : 0], options, &error);
    }
    libxl_domain_config_dispose(&config);
    if (plan) {
        g_autofree char *json = dmPlanToJson(plan);

        printf("%s\n", json);
        return 0;
    }
    fprintf(stderr, "%s\n", error->message);
    return 1;
}
