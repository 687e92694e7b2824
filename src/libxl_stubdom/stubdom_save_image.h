/*
 * The file of a saved domain
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * docs/save.md has the form of it.
 */

#pragma once

#include "internal.h"

#include "stubdom_pump.h"
#include "stubdom_save_format.h"

/* What is known of a saved domain without reading its state. */
typedef struct {
    char *xml;    /* the domain, inactive and with its secrets */
    char *cookie; /* what restores it must be like, stubdom_save_identity.h */
    StubdomSaveFormat format;
    bool paused; /* stays so when it is restored, unless somebody says otherwise */
} StubdomSaveHeader;

typedef struct {
    char *path;
    char *unfinished; /* where it is written to, until it is complete; NULL: one that was opened */
    int fd;
    StubdomSaveHeader header;
    unsigned long long dataOffset; /* of the stream, a multiple of STUBDOM_PUMP_ALIGNMENT */
    StubdomPumpResult data;        /* size and digest of the stream as it is in the file */
} StubdomSaveImage;

/**
 * stubdomSaveHeaderClear: frees what is in @header.
 */
void stubdomSaveHeaderClear(StubdomSaveHeader *header);

/**
 * stubdomSaveImageOpen: opens a file, and checks all of it but the stream, whose digest is checked when it is read.
 *
 * Returns it, to be freed with stubdomSaveImageFree(), or NULL with an error reported: VIR_ERR_OPERATION_FAILED for
 * what is no save image, or is damaged.
 */
StubdomSaveImage *stubdomSaveImageOpen(const char *path);

/**
 * stubdomSaveImageUnfinished: the name under which the save image of a domain is written.
 * @path: of the image
 * @domid: of the guest
 *
 * Returns a string to be freed with g_free().
 */
char *stubdomSaveImageUnfinished(const char *path, uint32_t domid);

/**
 * stubdomSaveImageCreate: begins a file, under a name of its own in the directory of @path.
 * @unfinished: that name
 * @header: taken, and cleared in any case
 *
 * @path is left alone until the image is complete. The file is then at the place where the stream belongs.
 *
 * Returns it, or NULL with an error reported.
 */
StubdomSaveImage *stubdomSaveImageCreate(const char *path, const char *unfinished, StubdomSaveHeader *header);

/**
 * stubdomSaveImageFinish: makes it complete, brings it to the disk and gives it its name.
 * @data: size and digest of what was written
 *
 * Waits for the disk.
 *
 * Returns 0; or -1 with an error reported, and @path is as it was before, or not there if the disk failed in the last
 * step.
 */
int stubdomSaveImageFinish(StubdomSaveImage *image, const StubdomPumpResult *data);

/**
 * stubdomSaveImageReplaceHeader: gives a complete image another header.
 * @image: as opened
 * @header: taken, and cleared in any case
 *
 * The file is copied, so at each moment the old one or the new one is there. Waits for the disk.
 *
 * Returns 0; or -1 with an error reported, and it is as before.
 */
int stubdomSaveImageReplaceHeader(StubdomSaveImage *image, StubdomSaveHeader *header);

/**
 * stubdomSaveImageFree: closes it, and removes what is not finished. @image may be NULL.
 */
void stubdomSaveImageFree(StubdomSaveImage *image);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(StubdomSaveImage, stubdomSaveImageFree)

/**
 * stubdomSaveImageSyncDirectory: brings the names in the directory of @path to the disk.
 *
 * Returns 0, or -1 with an error reported.
 */
int stubdomSaveImageSyncDirectory(const char *path);
