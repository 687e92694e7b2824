/*
 * How large the media of disks are
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "stubdom_compat.h"

#include "stubdom_storage.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "storage_source.h"
#include "virfile.h"

#define BYTES_PER_BLOCK 512ULL /* of st_blocks */
#define HEADER_SIZE 4096       /* enough for the size in any format libvirt knows */

static int
fillSizes(int fd, const virStorageSource *source, virDomainBlockInfoPtr info)
{
    g_autofree char *header = g_new0(char, HEADER_SIZE);
    g_autoptr(virStorageSource) meta = NULL;
    int format = source->format;
    struct stat about;
    off_t end = -1;
    ssize_t length = 0;

    if (fstat(fd, &about) < 0 || (end = lseek(fd, 0, SEEK_END)) < 0) {
        virReportSystemError(errno, _("the size of '%s' cannot be found out"), source->path);
        return -1;
    }
    info->physical = (unsigned long long)end;
    info->allocation = S_ISREG(about.st_mode) ? (unsigned long long)about.st_blocks * BYTES_PER_BLOCK : info->physical;
    info->capacity = info->physical;
    if (format <= VIR_STORAGE_FILE_RAW) {
        return 0;
    }
    if ((length = pread(fd, header, HEADER_SIZE, 0)) < 0 ||
        !(meta = virStorageSourceGetMetadataFromBuf(source->path, header, (size_t)length, format))) {
        virReportError(VIR_ERR_OPERATION_FAILED, _("'%s' has not the format '%s'"), source->path,
                       virStorageFileFormatTypeToString(format));
        return -1;
    }
    info->capacity = meta->capacity ? meta->capacity : info->physical;
    return 0;
}

int
stubdomStorageInfo(const virStorageSource *source, virDomainBlockInfoPtr info)
{
    VIR_AUTOCLOSE fd = -1;

    memset(info, 0, sizeof(*info));
    if (!source->path || !virStorageSourceIsLocalStorage(source)) {
        virReportError(VIR_ERR_OPERATION_UNSUPPORTED, _("the disk's source '%s' is not a file or block device here"),
                       NULLSTR(source->path));
        return -1;
    }
    /* Not blocking, should it be a FIFO. */
    if ((fd = open(source->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) < 0) {
        virReportSystemError(errno, _("'%s' cannot be opened"), source->path);
        return -1;
    }
    return fillSizes(fd, source, info);
}
