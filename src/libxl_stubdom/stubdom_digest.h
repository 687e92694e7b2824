/*
 * A digest that finds damage
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "internal.h"

/* Bytes of a digest. */
#define STUBDOM_DIGEST_SIZE 16

typedef struct _StubdomDigest StubdomDigest;

/**
 * stubdomDigestNew, stubdomDigestFree: a digest of nothing yet; of NULL nothing is freed.
 */
StubdomDigest *stubdomDigestNew(void);
void stubdomDigestFree(StubdomDigest *digest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StubdomDigest, stubdomDigestFree)

/**
 * stubdomDigestUpdate: more of what it is of.
 * @size: bytes
 */
void stubdomDigestUpdate(StubdomDigest *digest, const void *bytes, size_t size);

/**
 * stubdomDigestGet: the digest of all so far.
 * @result: STUBDOM_DIGEST_SIZE bytes
 */
void stubdomDigestGet(const StubdomDigest *digest, unsigned char *result);
