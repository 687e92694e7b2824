/*
 * What Xen knows of a domain
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "stubdom_conf.h"

/* Of the guest or of its stubdomain. */
typedef struct {
    uint32_t domid;
    int state;                    /* virDomainState, as far as Xen knows */
    unsigned long long cpuTime;   /* of all vCPUs, nanoseconds */
    unsigned long long memory;    /* it has, KiB */
    unsigned long long memoryMax; /* it may have, KiB */
    unsigned int vcpusOnline;     /* brought up by its firmware or kernel */
    unsigned int vcpus;           /* it has */
} StubdomXenDomain;

/**
 * stubdomXenDomainGet: asks Xen about a domain.
 * @vm: locked
 *
 * Returns 1, or 0 if there is none: not running, still being started, or gone a moment ago. -1 with an error reported
 * if Xen does not answer.
 */
int stubdomXenDomainGet(const StubdomDriver *driver, const virDomainObj *vm, StubdomXenDomain *found);

/**
 * stubdomXenDomainGetStubdomain: the same for its stubdomain.
 */
int stubdomXenDomainGetStubdomain(const StubdomDriver *driver, const virDomainObj *vm, StubdomXenDomain *found);

/**
 * stubdomXenDomainNeed: as stubdomXenDomainGet(), for what makes no sense without.
 *
 * Returns 0, or -1 with an error reported; VIR_ERR_OPERATION_INVALID if there is none.
 */
int stubdomXenDomainNeed(const StubdomDriver *driver, const virDomainObj *vm, StubdomXenDomain *found);

/**
 * stubdomXenDomainNeedStubdomain: the same for its stubdomain.
 */
int stubdomXenDomainNeedStubdomain(const StubdomDriver *driver, const virDomainObj *vm, StubdomXenDomain *found);
