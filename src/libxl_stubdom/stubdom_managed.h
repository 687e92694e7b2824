/*
 * The save image a domain is started from next
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * All functions but stubdomManagedLoad(): @vm is locked.
 */

#pragma once

#include "stubdom_conf.h"

/**
 * stubdomManagedPath: where the managed image of a domain is.
 *
 * Returns a string to be freed with g_free().
 */
char *stubdomManagedPath(const StubdomDriver *driver, const virDomainObj *vm);

/**
 * stubdomManagedExists: whether a domain has one.
 */
bool stubdomManagedExists(const StubdomDriver *driver, const virDomainObj *vm);

/**
 * stubdomManagedLoad: finds out, when the driver comes up, which domains have one.
 */
void stubdomManagedLoad(StubdomDriver *driver);

/**
 * stubdomManagedRemove: removes it, if there is one.
 *
 * Returns 0, or -1 with an error reported.
 */
int stubdomManagedRemove(const StubdomDriver *driver, virDomainObj *vm);

/**
 * stubdomManagedUse: gives it another name, as it is about to be used up; stubdomManagedUnuse() its own again;
 * stubdomManagedUsed() removes it.
 *
 * Returns 0, or -1 with an error reported.
 */
int stubdomManagedUse(const StubdomDriver *driver, virDomainObj *vm);
void stubdomManagedUnuse(const StubdomDriver *driver, virDomainObj *vm);
void stubdomManagedUsed(const StubdomDriver *driver, virDomainObj *vm);

/**
 * stubdomManagedStart: starts an inactive domain from its managed image if it has one, otherwise by booting it.
 * @vm: with a job of the caller's; unlocked meanwhile
 * @conn: or NULL
 * @flags: of virDomainCreateFlags
 *
 * An image that cannot be restored stays; VIR_DOMAIN_START_FORCE_BOOT removes it.
 *
 * Returns 0, or -1 with an error reported.
 */
int stubdomManagedStart(StubdomDriver *driver, virDomainObj *vm, virConnectPtr conn, unsigned int flags);
