/*
 * Which stubdomain image a guest's device state belongs to
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "stubdom_conf.h"

/* All members: immutable once made; NULL: not known. */
typedef struct _StubdomSaveIdentity {
    char *name;   /* of the image */
    char *digest; /* SHA-256 of its descriptor, which has those of its files */
    char *qemu;   /* version of the QEMU in it */
} StubdomSaveIdentity;

/**
 * stubdomSaveIdentityOf: the image that is installed now for a domain.
 *
 * Reads its descriptor. Never fails: what cannot be read is not known.
 *
 * Returns it, to be freed with stubdomSaveIdentityFree().
 */
StubdomSaveIdentity *stubdomSaveIdentityOf(const StubdomDriver *driver, const virDomainDef *def);

/**
 * stubdomSaveIdentityFree: @identity may be NULL.
 */
void stubdomSaveIdentityFree(StubdomSaveIdentity *identity);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(StubdomSaveIdentity, stubdomSaveIdentityFree)

/**
 * stubdomSaveIdentityFormat: adds it as an element to @buffer, for status files and the cookies of save images.
 */
void stubdomSaveIdentityFormat(virBuffer *buffer, const StubdomSaveIdentity *identity);

/**
 * stubdomSaveIdentityParse: reads the element.
 *
 * Returns it, or NULL if it is not there.
 */
StubdomSaveIdentity *stubdomSaveIdentityParse(xmlXPathContextPtr context);

/**
 * stubdomSaveIdentityCheck: whether a device state can be restored.
 * @cookie: of the save image
 * @now: the image that is installed now
 * @path: of the save image, for the error
 *
 * It can if it is the same image, or has the same version of QEMU. With @anyway a difference is only logged.
 *
 * Returns 0, or -1 with VIR_ERR_OPERATION_INVALID reported.
 */
int stubdomSaveIdentityCheck(const char *cookie, const StubdomSaveIdentity *now, const char *path, bool anyway);
