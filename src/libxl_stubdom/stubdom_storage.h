/*
 * How large the media of disks are
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "domain_conf.h"

/**
 * stubdomStorageInfo: the sizes of a medium, in bytes.
 * @source: a file or block device of dom0
 *
 * May wait for a file system. The format is the one the definition says, never guessed from what the guest has written.
 *
 * Returns 0, or -1 with an error reported.
 */
int stubdomStorageInfo(const virStorageSource *source, virDomainBlockInfoPtr info);
