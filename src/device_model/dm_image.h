/*
 * Descriptor of a stubdomain image
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What xen-stubdom-dm knows of an image comes from its `image.json`: files,
 * command line, memory, and which extensions of the protocol it may be spoken
 * to with. docs/image.md documents the schema. Descriptors are the
 * administrator's and trusted; they are checked so that a mistake has a clear
 * message.
 */

#pragma once

#include <glib.h>

typedef enum {
    DM_IMAGE_LINUX,  /* QEMU of today in Linux: dm-argv */
    DM_IMAGE_MINIOS, /* qemu-xen-traditional in MiniOS: dmargs */
} DmImageKind;

typedef struct {
    char *name;
    DmImageKind kind;
    char *kernel;        /* absolute path */
    char *ramdisk;       /* absolute path, or NULL */
    char *commandLine;   /* of the kernel */
    guint memory;        /* MiB */
    char **capabilities; /* words */
} DmImage;

/**
 * dmImageLoad:
 * @name: an image's name, looked up as @directory/@name/image.json, or an
 *   absolute path of a descriptor
 * @directory: (nullable): where images are; NULL: $STUBDOM_IMAGE_DIR, else the
 *   installed directory
 *
 * Reads a descriptor and checks that its files can be read.
 *
 * Returns: (transfer full): free with dmImageFree(); NULL with DM_ERROR_IMAGE
 */
DmImage *dmImageLoad(const char *name, const char *directory, GError **error);
void dmImageFree(DmImage *image);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DmImage, dmImageFree)

/** Whether the descriptor announces @capability. */
gboolean dmImageHas(const DmImage *image, const char *capability);
