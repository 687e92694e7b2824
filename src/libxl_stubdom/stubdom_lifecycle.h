/*
 * Methods that start, stop and change the state of domains
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Entries of libvirt's table of methods; what they do is in libvirt's
 * documentation of the functions of the same name, and in docs/driver.md.
 */

#pragma once

#include "internal.h"

virDomainPtr stubdomDomainCreateXML(virConnectPtr conn, const char *xml, unsigned int flags);
int stubdomDomainCreate(virDomainPtr dom);
int stubdomDomainCreateWithFlags(virDomainPtr dom, unsigned int flags);
int stubdomDomainDestroy(virDomainPtr dom);
int stubdomDomainDestroyFlags(virDomainPtr dom, unsigned int flags);
int stubdomDomainSuspend(virDomainPtr dom);
int stubdomDomainResume(virDomainPtr dom);
int stubdomDomainShutdown(virDomainPtr dom);
int stubdomDomainShutdownFlags(virDomainPtr dom, unsigned int flags);
int stubdomDomainReboot(virDomainPtr dom, unsigned int flags);
int stubdomDomainReset(virDomainPtr dom, unsigned int flags);
