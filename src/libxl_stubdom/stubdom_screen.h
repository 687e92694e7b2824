/*
 * Methods on what a domain shows
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "driver.h"

char *stubdomDomainScreenshot(virDomainPtr dom, virStreamPtr stream, unsigned int screen, unsigned int flags);
int stubdomDomainSendKey(virDomainPtr dom, unsigned int codeset, unsigned int holdtime, unsigned int *keycodes,
                         int nkeycodes, unsigned int flags);
int stubdomDomainOpenGraphics(virDomainPtr dom, unsigned int index, int fd, unsigned int flags);
int stubdomDomainOpenGraphicsFD(virDomainPtr dom, unsigned int index, unsigned int flags);
