/*
 * Methods that plug, unplug and change devices
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Methods of libvirt's driver table; each is as documented for the function of
 * libvirt's API it is named after.
 */

#pragma once

#include "datatypes.h"

int stubdomDomainAttachDevice(virDomainPtr dom, const char *xml);
int stubdomDomainAttachDeviceFlags(virDomainPtr dom, const char *xml, unsigned int flags);
int stubdomDomainDetachDevice(virDomainPtr dom, const char *xml);
int stubdomDomainDetachDeviceFlags(virDomainPtr dom, const char *xml, unsigned int flags);
int stubdomDomainDetachDeviceAlias(virDomainPtr dom, const char *alias, unsigned int flags);
int stubdomDomainUpdateDeviceFlags(virDomainPtr dom, const char *xml, unsigned int flags);
