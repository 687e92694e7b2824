/*
 * What a domain needs of other drivers before it is started
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "domain_conf.h"

/**
 * stubdomPrepareDisk: looks up where a disk that is the volume of a pool is.
 * @disk: of a domain that is started, or about to be plugged; left alone if it is no volume
 *
 * Returns 0, or -1 with an error reported.
 */
int stubdomPrepareDisk(virDomainDiskDef *disk);

/**
 * stubdomPrepareNet: has the network driver allocate a port for a card on a libvirt network.
 * @def: the domain it belongs to
 * @net: left alone if its type is not 'network'
 *
 * Returns 0, or -1 with an error reported and nothing allocated; otherwise stubdomReleaseNet() must follow in the end.
 */
int stubdomPrepareNet(virDomainDef *def, virDomainNetDef *net);

/**
 * stubdomReleaseNet: gives back what stubdomPrepareNet() allocated, if it did. Keeps the error that is set.
 */
void stubdomReleaseNet(virDomainDef *def, virDomainNetDef *net);

/**
 * stubdomDomainPrepare: prepares all devices of @def, before it is translated for a start.
 * @def: the live definition, which is changed
 *
 * Asks the network and storage drivers, which takes time: the domain must be kept by a job, not by its lock alone.
 *
 * Returns 0, or -1 with an error reported and everything undone; otherwise stubdomDomainRelease() must follow in the
 * end.
 */
int stubdomDomainPrepare(virDomainDef *def);

/**
 * stubdomDomainRelease: undoes stubdomDomainPrepare() when the domain has ended or could not be started.
 */
void stubdomDomainRelease(virDomainDef *def);

/**
 * stubdomDomainReclaim: tells the network driver, after a start of the daemon, which of its ports are in use.
 * @def: the live definition of a running domain
 *
 * What cannot be told is logged: the guest's traffic does not depend on it.
 */
void stubdomDomainReclaim(virDomainDef *def);
