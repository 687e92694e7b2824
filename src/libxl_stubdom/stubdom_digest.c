/*
 * A digest that finds damage
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * XXH3 of 128 bits, in its canonical form: a guest's memory goes through it,
 * at many times the speed of GLib's SHA-256, which would be slower than most
 * disks. It finds what a disk or a file system did to an image. It is no help
 * against somebody who may write the file, and neither would a SHA-256 in the
 * same file be.
 */

#include "stubdom_compat.h"

#include "stubdom_digest.h"

#define XXH_INLINE_ALL /* all of it, so that hosts need no library for it */
#include <xxhash.h>

struct _StubdomDigest {
    XXH3_state_t *state;
};

G_STATIC_ASSERT(sizeof(XXH128_canonical_t) == STUBDOM_DIGEST_SIZE);

StubdomDigest *
stubdomDigestNew(void)
{
    StubdomDigest *digest = g_new0(StubdomDigest, 1);

    if (!(digest->state = XXH3_createState()) || XXH3_128bits_reset(digest->state) != XXH_OK) {
        abort(); /* as GLib does without memory */
    }
    return digest;
}

void
stubdomDigestFree(StubdomDigest *digest)
{
    if (digest) {
        XXH3_freeState(digest->state);
        g_free(digest);
    }
}

void
stubdomDigestUpdate(StubdomDigest *digest, const void *bytes, size_t size)
{
    if (size > 0) {
        ignore_value(XXH3_128bits_update(digest->state, bytes, size)); /* fails without a state or bytes alone */
    }
}

void
stubdomDigestGet(const StubdomDigest *digest, unsigned char *result)
{
    XXH128_canonical_t canonical;

    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(digest->state));
    memcpy(result, &canonical, sizeof(canonical));
}
