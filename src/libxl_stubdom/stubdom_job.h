/*
 * What is being done to a domain
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Methods of libvirt's driver table; each is as documented for the function of
 * libvirt's API it is named after.
 */

#pragma once

#include "datatypes.h"

int stubdomDomainGetJobInfo(virDomainPtr dom, virDomainJobInfoPtr info);
int stubdomDomainGetJobStats(virDomainPtr dom, int *type, virTypedParameterPtr *params, int *nparams,
                             unsigned int flags);
int stubdomDomainAbortJob(virDomainPtr dom);
int stubdomDomainAbortJobFlags(virDomainPtr dom, unsigned int flags);

/**
 * stubdomJobCompleted: a save or a restore has succeeded, and can be asked about.
 * @vm: locked, with the job still under way
 * @operation: VIR_DOMAIN_JOB_OPERATION_SAVE or VIR_DOMAIN_JOB_OPERATION_RESTORE
 * @bytes: of the stream in the image
 */
void stubdomJobCompleted(virDomainObj *vm, virDomainJobOperation operation, unsigned long long bytes);

/**
 * stubdomJobAbort: gives up a save or a restore that is under way. Never waits.
 * @vm: locked
 *
 * Returns whether there is one.
 */
bool stubdomJobAbort(virDomainObj *vm);
