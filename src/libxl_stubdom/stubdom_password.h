/*
 * The password of a display
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "stubdom_conf.h"

/**
 * stubdomPasswordSet: tells the device model which password viewers need, and until when it is good.
 * @vm: locked, with a job of ours; unlocked while the device model is asked
 * @password: an empty one keeps every viewer out
 * @auth: for the rest
 *
 * Returns 0, or -1 with an error reported.
 */
int stubdomPasswordSet(virDomainObj *vm, const char *password, const virDomainGraphicsAuthDef *auth);

/**
 * stubdomPasswordStart: sets the password of a domain that is started, if its display has one. Until then nobody is let
 * in, as the device model was told that there is one.
 * @vm: as for stubdomPasswordSet()
 *
 * Returns 0, or -1 with an error reported.
 */
int stubdomPasswordStart(const StubdomDriver *driver, virDomainObj *vm);
