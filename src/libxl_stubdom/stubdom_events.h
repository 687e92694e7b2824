/*
 * The driver's own event loop
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One thread hears of the ends of domains from libxl and reads the monitors.
 * It never waits: what takes time is handed to a thread of its own.
 */

#pragma once

#include <libxl.h>
#include <libxl_event.h>

#include "internal.h"

typedef struct _StubdomEvents StubdomEvents;

/* @event is owned by the callee, and freed with stubdomEventsFreeEvent(). Called in the thread of the event loop. */
typedef void (*StubdomEventsFunc)(StubdomEvents *events, libxl_event *event, void *opaque);

/**
 * stubdomEventsNew: starts the thread.
 * @func: is called for each event of libxl
 * @opaque: passed to @func
 *
 * Without Xen there is the thread all the same, and no events of libxl.
 *
 * Returns it, to be freed with stubdomEventsFree(), or NULL with an error reported.
 */
StubdomEvents *stubdomEventsNew(StubdomEventsFunc func, void *opaque);

/**
 * stubdomEventsFree: ends the thread; all death watches are gone with it. @events may be NULL.
 */
void stubdomEventsFree(StubdomEvents *events);

/**
 * stubdomEventsContext: what sources are attached to that shall run in the thread.
 */
GMainContext *stubdomEventsContext(StubdomEvents *events);

/**
 * stubdomEventsWatch: asks for the events of a domain's shutdown and death.
 * @domid: of the guest
 * @watch: set to what stubdomEventsUnwatch() takes
 *
 * A domain that has shut down already gives its event at once.
 *
 * Returns 0, or -1 with an error reported.
 */
int stubdomEventsWatch(StubdomEvents *events, uint32_t domid, libxl_evgen_domain_death **watch);

/**
 * stubdomEventsUnwatch: ends a watch, and clears @watch. An event that is on its way may still arrive.
 */
void stubdomEventsUnwatch(StubdomEvents *events, libxl_evgen_domain_death **watch);

/**
 * stubdomEventsFreeEvent: frees an event of libxl. Any thread.
 */
void stubdomEventsFreeEvent(StubdomEvents *events, libxl_event *event);
