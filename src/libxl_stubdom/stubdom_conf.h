/*
 * The driver's state and its directories
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "capabilities.h"
#include "domain_conf.h"
#include "object_event.h"
#include "virdomainobjlist.h"

#include "stubdom_defaults.h"

typedef struct {
    char *configDir;             /* immutable: XML of persistent domains */
    char *autostartDir;          /* immutable: links to those of them that are to be started */
    char *stateDir;              /* immutable: what does not outlive a boot */
    StubdomDefaults defaults;    /* immutable */
    int lockFd;                  /* immutable: held as long as the driver is there */
    virCaps *caps;               /* immutable */
    virDomainXMLOption *xmlopt;  /* immutable */
    virDomainObjList *domains;   /* immutable pointer, self-locking */
    virObjectEventState *events; /* immutable pointer, self-locking */
} StubdomDriver;

/**
 * stubdomDriverNew: the driver's state, with its directories made and its persistent domains loaded.
 * @root: directory everything is put below, or NULL for the places of the system
 *
 * Returns it, to be freed with stubdomDriverFree(), or NULL with an error reported; a second driver with the same @root
 * is one.
 */
StubdomDriver *stubdomDriverNew(const char *root);

/**
 * stubdomDriverFree: undoes stubdomDriverNew(), also one that was interrupted. @driver may be NULL.
 */
void stubdomDriverFree(StubdomDriver *driver);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(StubdomDriver, stubdomDriverFree)
