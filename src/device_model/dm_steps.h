/*
 * A sequence of steps that can be undone
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Runs the rows of a (do, undo) table forward, each when the one before has
 * ended, and when one fails, or on request, runs the undos of those that were
 * done backward. Steps may take their time; the main loop goes on meanwhile.
 */

#pragma once

#include <glib.h>

typedef struct _DmSteps DmSteps;

/* Starts a step or its undo; dmStepsDone() must be called once, now or later. */
typedef void (*DmStepFunc)(DmSteps *steps, gpointer opaque);

typedef struct {
    const char *name; /* for messages: "attach the disks" */
    DmStepFunc run;
    DmStepFunc undo; /* or NULL */
} DmStep;

/*
 * Called once when all steps were run (@error is NULL), and once when all were
 * undone (@error is why). @failed: the step that failed, or NULL. The steps may
 * be freed from within.
 */
typedef void (*DmStepsFunc)(DmSteps *steps, const char *failed, const GError *error, gpointer opaque);

/**
 * dmStepsNew:
 * @table: (transfer none): ends with a NULL name
 *
 * Returns: (transfer full): free with dmStepsFree() when nothing is in work
 */
DmSteps *dmStepsNew(const DmStep *table, DmStepsFunc func, gpointer opaque);
void dmStepsFree(DmSteps *steps);

/** Runs the steps. */
void dmStepsForward(DmSteps *steps);

/**
 * dmStepsBack:
 * @error: (transfer full): why
 *
 * Undoes what was done; waits for a step in work first. When it is going back
 * already, @error is dropped: the first reason counts.
 */
void dmStepsBack(DmSteps *steps, GError *error);

/** A step or an undo ended; @error: (nullable) (transfer full). A failed undo is logged and does not stop the others.
 */
void dmStepsDone(DmSteps *steps, GError *error);
