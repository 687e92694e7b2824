/*
 * Methods around a running domain
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Its console, what it has to say, what it is doing, how it ends, its core.
 * Entries of libvirt's table of methods, each as documented for the function
 * of libvirt's API it is named after.
 */

#pragma once

#include "internal.h"

int stubdomDomainOpenConsole(virDomainPtr dom, const char *name, virStreamPtr stream, unsigned int flags);
int stubdomDomainGetMessages(virDomainPtr dom, char ***messages, unsigned int flags);
int stubdomDomainGetControlInfo(virDomainPtr dom, virDomainControlInfoPtr info, unsigned int flags);
int stubdomDomainSetLifecycleAction(virDomainPtr dom, unsigned int type, unsigned int action, unsigned int flags);
int stubdomDomainCoreDump(virDomainPtr dom, const char *to, unsigned int flags);
int stubdomDomainCoreDumpWithFormat(virDomainPtr dom, const char *to, unsigned int format, unsigned int flags);
