/*
 * The file of a saved domain
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Header, domain XML, cookie, padding, stream. The header has a digest of all
 * before the stream, and in that the stream's, so that no byte can change
 * unnoticed. A file may come from anywhere: sizes are checked before they are
 * used. Nothing of the stream is looked at here.
 */

#include "stubdom_compat.h"

#include "stubdom_save_image.h"

#include <fcntl.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <sys/stat.h>
#include <unistd.h>

#include "virfile.h"

#define MAGIC "libvirt-stubdom\n"
#define MAGIC_SIZE 16
#define IMAGE_VERSION 1

/* More than any domain's. */
#define XML_MAX (16UL * 1024 * 1024)
#define COOKIE_MAX (64UL * 1024)

#define FLAG_PAUSED 1U
#define FLAGS_KNOWN FLAG_PAUSED

/* All numbers are little-endian. */
typedef struct {
    char magic[MAGIC_SIZE];
    uint32_t version;
    uint32_t format; /* of StubdomSaveFormat */
    uint32_t flags;
    uint32_t xmlLength;
    uint32_t cookieLength;
    uint32_t reserved;
    uint64_t dataOffset;
    uint64_t dataLength;
    unsigned char dataDigest[STUBDOM_DIGEST_SIZE];
    unsigned char headDigest[STUBDOM_DIGEST_SIZE]; /* of all before the stream, with zeroes here */
} ImageHead;

G_STATIC_ASSERT(sizeof(ImageHead) == 120);

void
stubdomSaveHeaderClear(StubdomSaveHeader *header)
{
    g_clear_pointer(&header->xml, g_free);
    g_clear_pointer(&header->cookie, g_free);
}

void
stubdomSaveImageFree(StubdomSaveImage *image)
{
    if (!image) {
        return;
    }
    VIR_FORCE_CLOSE(image->fd);
    if (image->unfinished) {
        unlink(image->unfinished);
    }
    stubdomSaveHeaderClear(&image->header);
    g_free(image->unfinished);
    g_free(image->path);
    g_free(image);
}

/* Of an algorithm that every gnutls has. */
static void
digestOf(const void *bytes, size_t size, unsigned char *digest)
{
    if (gnutls_hash_fast(GNUTLS_DIG_SHA256, bytes, size, digest) < 0) {
        abort();
    }
}

/* --- reading ---------------------------------------------------------------------- */

static int
refuse(const char *path, const char *reason)
{
    virReportError(VIR_ERR_OPERATION_FAILED, _("'%s' cannot be restored: %s"), path, reason);
    return -1;
}

static int
readAt(const StubdomSaveImage *image, void *buffer, size_t size)
{
    ssize_t got = pread(image->fd, buffer, size, 0);

    if (got < 0) {
        virReportSystemError(errno, _("cannot read the save image '%s'"), image->path);
        return -1;
    }
    return (size_t)got == size ? 0 : refuse(image->path, _("it is too short for a save image of this driver"));
}

static int
checkNumbers(const StubdomSaveImage *image, const ImageHead *head, uint64_t size)
{
    uint64_t xml = GUINT32_FROM_LE(head->xmlLength);
    uint64_t cookie = GUINT32_FROM_LE(head->cookieLength);
    uint64_t offset = VIR_ROUND_UP(sizeof(*head) + xml + cookie, STUBDOM_PUMP_ALIGNMENT);
    uint64_t data = GUINT64_FROM_LE(head->dataLength);

    if (memcmp(head->magic, MAGIC, MAGIC_SIZE) != 0) {
        return refuse(image->path, _("it is no save image of this driver, or one that was not finished"));
    }
    if (GUINT32_FROM_LE(head->version) != IMAGE_VERSION) {
        virReportError(VIR_ERR_OPERATION_FAILED, _("'%s' cannot be restored: its form has version %u, and %d is known"),
                       image->path, GUINT32_FROM_LE(head->version), IMAGE_VERSION);
        return -1;
    }
    if (xml == 0 || xml > XML_MAX || cookie > COOKIE_MAX || GUINT64_FROM_LE(head->dataOffset) != offset ||
        GUINT32_FROM_LE(head->format) >= STUBDOM_SAVE_FORMAT_LAST || (GUINT32_FROM_LE(head->flags) & ~FLAGS_KNOWN)) {
        return refuse(image->path, _("its header is damaged"));
    }
    if (data == 0 || size < offset || size - offset != data) {
        virReportError(VIR_ERR_OPERATION_FAILED,
                       _("'%s' cannot be restored: it has %llu bytes, and its header says %llu and %llu more"),
                       image->path, (unsigned long long)size, (unsigned long long)offset, (unsigned long long)data);
        return -1;
    }
    return 0;
}

/* @bytes: all before the stream, the head included */
static int
takeHeader(StubdomSaveImage *image, const ImageHead *head, char *bytes)
{
    uint32_t xml = GUINT32_FROM_LE(head->xmlLength);
    uint32_t cookie = GUINT32_FROM_LE(head->cookieLength);
    unsigned char digest[STUBDOM_DIGEST_SIZE];

    memset(((ImageHead *)bytes)->headDigest, 0, sizeof(head->headDigest));
    digestOf(bytes, image->dataOffset, digest);
    if (memcmp(digest, head->headDigest, sizeof(digest)) != 0) {
        return refuse(image->path, _("its header is damaged: the digest of it is another one"));
    }
    image->header.xml = g_strndup(bytes + sizeof(*head), xml);
    image->header.cookie = g_strndup(bytes + sizeof(*head) + xml, cookie);
    image->header.format = (StubdomSaveFormat)GUINT32_FROM_LE(head->format);
    image->header.paused = GUINT32_FROM_LE(head->flags) & FLAG_PAUSED;
    image->data.bytes = GUINT64_FROM_LE(head->dataLength);
    memcpy(image->data.digest, head->dataDigest, sizeof(head->dataDigest));
    return 0;
}

static int
readHeader(StubdomSaveImage *image)
{
    g_autofree char *bytes = NULL;
    struct stat status;
    ImageHead head;

    if (fstat(image->fd, &status) < 0) {
        virReportSystemError(errno, _("cannot read the save image '%s'"), image->path);
        return -1;
    }
    if (!S_ISREG(status.st_mode)) {
        return refuse(image->path, _("it is no regular file"));
    }
    if (readAt(image, &head, sizeof(head)) < 0 || checkNumbers(image, &head, (uint64_t)status.st_size) < 0) {
        return -1;
    }
    image->dataOffset = GUINT64_FROM_LE(head.dataOffset);
    bytes = g_malloc(image->dataOffset);
    if (readAt(image, bytes, image->dataOffset) < 0) {
        return -1;
    }
    return takeHeader(image, &head, bytes);
}

StubdomSaveImage *
stubdomSaveImageOpen(const char *path)
{
    g_autoptr(StubdomSaveImage) image = g_new0(StubdomSaveImage, 1);

    image->path = g_strdup(path);
    image->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK); /* a pipe must not be waited for */
    if (image->fd < 0) {
        virReportSystemError(errno, _("cannot open the save image '%s'"), path);
        return NULL;
    }
    if (readHeader(image) < 0) {
        return NULL;
    }
    if (lseek(image->fd, (off_t)image->dataOffset, SEEK_SET) < 0) {
        virReportSystemError(errno, _("cannot read the save image '%s'"), path);
        return NULL;
    }
    return g_steal_pointer(&image);
}

/* --- writing ----------------------------------------------------------------------- */

char *
stubdomSaveImageUnfinished(const char *path, uint32_t domid)
{
    return g_strdup_printf("%s.%u.part", path, domid);
}

static int
writeFailed(const StubdomSaveImage *image)
{
    virReportSystemError(errno, _("cannot write the save image '%s'"), image->path);
    return -1;
}

/* Only a file is replaced. */
static int
checkPlace(const char *path)
{
    struct stat status;

    if (lstat(path, &status) == 0 && !S_ISREG(status.st_mode)) {
        virReportError(VIR_ERR_OPERATION_INVALID,
                       _("'%s' is there and is no regular file: a save image does not replace it"), path);
        return -1;
    }
    return 0;
}

StubdomSaveImage *
stubdomSaveImageCreate(const char *path, const char *unfinished, StubdomSaveHeader *header)
{
    g_autoptr(StubdomSaveImage) image = g_new0(StubdomSaveImage, 1);

    image->path = g_strdup(path);
    image->fd = -1;
    image->header = *header;
    *header = (StubdomSaveHeader){.xml = NULL};
    if (strlen(image->header.xml) > XML_MAX || strlen(image->header.cookie) > COOKIE_MAX) {
        virReportError(VIR_ERR_OPERATION_FAILED, _("the domain's XML is too long for the save image '%s'"), path);
        return NULL;
    }
    image->dataOffset = VIR_ROUND_UP(sizeof(ImageHead) + strlen(image->header.xml) + strlen(image->header.cookie),
                                     STUBDOM_PUMP_ALIGNMENT);
    if (checkPlace(path) < 0) {
        return NULL;
    }
    image->fd = open(unfinished, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (image->fd < 0) {
        writeFailed(image);
        return NULL;
    }
    image->unfinished = g_strdup(unfinished);
    if (lseek(image->fd, (off_t)image->dataOffset, SEEK_SET) < 0) {
        writeFailed(image);
        return NULL;
    }
    return g_steal_pointer(&image);
}

static char *
formatHeader(const StubdomSaveImage *image)
{
    const StubdomSaveHeader *header = &image->header;
    char *bytes = g_malloc0(image->dataOffset);
    ImageHead *head = (ImageHead *)bytes;
    unsigned char digest[STUBDOM_DIGEST_SIZE];

    memcpy(head->magic, MAGIC, MAGIC_SIZE);
    head->version = GUINT32_TO_LE(IMAGE_VERSION);
    head->format = GUINT32_TO_LE(header->format);
    head->flags = GUINT32_TO_LE(header->paused ? FLAG_PAUSED : 0U);
    head->xmlLength = GUINT32_TO_LE((uint32_t)strlen(header->xml));
    head->cookieLength = GUINT32_TO_LE((uint32_t)strlen(header->cookie));
    head->dataOffset = GUINT64_TO_LE(image->dataOffset);
    head->dataLength = GUINT64_TO_LE(image->data.bytes);
    memcpy(head->dataDigest, image->data.digest, sizeof(head->dataDigest));
    memcpy(bytes + sizeof(*head), header->xml, strlen(header->xml));
    memcpy(bytes + sizeof(*head) + strlen(header->xml), header->cookie, strlen(header->cookie));
    digestOf(bytes, image->dataOffset, digest);
    memcpy(head->headDigest, digest, sizeof(digest));
    return bytes;
}

int
stubdomSaveImageSyncDirectory(const char *path)
{
    g_autofree char *directory = g_path_get_dirname(path);
    VIR_AUTOCLOSE fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || fsync(fd) < 0) {
        virReportSystemError(errno, _("the names in the directory '%s' cannot be brought to the disk"), directory);
        return -1;
    }
    return 0;
}

static int
writeHeader(StubdomSaveImage *image)
{
    g_autofree char *bytes = formatHeader(image);
    int flags = fcntl(image->fd, F_GETFL);

    if (flags < 0 || fcntl(image->fd, F_SETFL, flags & ~O_DIRECT) < 0 || lseek(image->fd, 0, SEEK_SET) < 0 ||
        safewrite(image->fd, bytes, image->dataOffset) < 0 || fsync(image->fd) < 0) {
        return writeFailed(image);
    }
    return 0;
}

int
stubdomSaveImageFinish(StubdomSaveImage *image, const StubdomPumpResult *data)
{
    image->data = *data;
    if (writeHeader(image) < 0) {
        return -1;
    }
    if (rename(image->unfinished, image->path) < 0) {
        return writeFailed(image);
    }
    g_clear_pointer(&image->unfinished, g_free);
    if (stubdomSaveImageSyncDirectory(image->path) < 0) {
        unlink(image->path); /* nobody may take it for one that can be relied on */
        return -1;
    }
    return 0;
}

/* --- another header ------------------------------------------------------------------ */

static int
copyData(const StubdomSaveImage *from, StubdomSaveImage *to)
{
    off_t source = (off_t)from->dataOffset;
    off_t place = (off_t)to->dataOffset;
    unsigned long long left = from->data.bytes;

    while (left > 0) {
        ssize_t copied = copy_file_range(from->fd, &source, to->fd, &place, left, 0);

        if (copied < 0 && errno == EINTR) {
            continue;
        }
        if (copied <= 0) {
            errno = copied == 0 ? EIO : errno;
            return writeFailed(to);
        }
        left -= (unsigned long long)copied;
    }
    return 0;
}

int
stubdomSaveImageReplaceHeader(StubdomSaveImage *image, StubdomSaveHeader *header)
{
    g_autofree char *unfinished = g_strdup_printf("%s.edited.part", image->path);
    g_autoptr(StubdomSaveImage) made = stubdomSaveImageCreate(image->path, unfinished, header);

    if (!made || copyData(image, made) < 0) {
        return -1;
    }
    return stubdomSaveImageFinish(made, &image->data);
}
