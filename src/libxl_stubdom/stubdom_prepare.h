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
 * Asks the storage driver: no domain is to be locked.
 *
 * Returns 0, or -1 with an error reported.
 */
int stubdomPrepareDisk(virDomainDiskDef *disk);

/**
 * stubdomPrepareNet: has the network driver allocate a port for a card on a libvirt network.
 * @def: the domain it belongs to
 * @net: left alone if its type is not 'network'
 *
 * Asks the network driver: no domain is to be locked.
 *
 * Returns 0, or -1 with an error reported and nothing allocated; otherwise stubdomReleaseNet() must follow in the end.
 */
int stubdomPrepareNet(virDomainDef *def, virDomainNetDef *net);

/**
 * stubdomReleaseNet: gives back what stubdomPrepareNet() allocated, if it did. Keeps the error that is set.
 *
 * Asks the network driver: no domain is to be locked.
 */
void stubdomReleaseNet(virDomainDef *def, virDomainNetDef *net);

/**
 * stubdomDomainPrepare: prepares all devices of a domain, before it is translated for a start.
 * @vm: locked, with a job; its live definition is changed
 *
 * Asks the network and storage drivers, which may take any time, with the domain unlocked.
 *
 * Returns 0, or -1 with an error reported and everything undone; otherwise stubdomDomainRelease() must follow in the
 * end.
 */
int stubdomDomainPrepare(virDomainObj *vm);

/**
 * stubdomDomainRelease: undoes stubdomDomainPrepare() when the domain has ended or could not be started.
 * @vm: locked, with a job; it is unlocked meanwhile
 */
void stubdomDomainRelease(virDomainObj *vm);

/**
 * stubdomDomainReclaim: tells the network driver, after a start of the daemon, which of its ports are in use.
 * @vm: locked, with a job; it is unlocked meanwhile
 *
 * What cannot be told is logged: the guest's traffic does not depend on it.
 */
void stubdomDomainReclaim(virDomainObj *vm);
