/*
 * A sequence of steps that can be undone
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One position in the table and one direction. The next row is started from
 * the main loop, not from within dmStepsDone(), so that steps that end at once
 * do not pile up on the stack.
 */

#include "config.h"

#include "dm_steps.h"

/* All members: main loop only. */
struct _DmSteps {
    const DmStep *table;
    DmStepsFunc func;
    gpointer opaque;
    guint position;   /* forward: the step to run; back: one more than the step whose undo is next */
    gboolean working; /* a step or undo is in work */
    gboolean back;    /* going back, or will when the step in work ends */
    gboolean undoing; /* what is in work is an undo */
    const char *failed;
    GError *error; /* why we go back */
    guint source;
};

DmSteps *
dmStepsNew(const DmStep *table, DmStepsFunc func, gpointer opaque)
{
    DmSteps *steps = g_new0(DmSteps, 1);

    steps->table = table;
    steps->func = func;
    steps->opaque = opaque;
    return steps;
}

void
dmStepsFree(DmSteps *steps)
{
    if (!steps) {
        return;
    }
    g_warn_if_fail(!steps->working);
    g_clear_handle_id(&steps->source, g_source_remove);
    g_clear_error(&steps->error);
    g_free(steps);
}

static void
runForward(DmSteps *steps)
{
    if (steps->table[steps->position].name) {
        steps->working = TRUE;
        steps->table[steps->position].run(steps, steps->opaque);
    } else {
        steps->func(steps, NULL, NULL, steps->opaque);
    }
}

static void
runBack(DmSteps *steps)
{
    g_autoptr(GError) error = NULL;

    while (steps->position > 0) {
        const DmStep *step = &steps->table[--steps->position];

        if (step->undo) {
            steps->working = TRUE;
            steps->undoing = TRUE;
            step->undo(steps, steps->opaque);
            return;
        }
    }
    error = g_steal_pointer(&steps->error);
    steps->func(steps, steps->failed, error, steps->opaque);
}

static gboolean
runNext(gpointer opaque)
{
    DmSteps *steps = opaque;

    steps->source = 0;
    if (steps->back) {
        runBack(steps);
    } else {
        runForward(steps);
    }
    return G_SOURCE_REMOVE;
}

static void
schedule(DmSteps *steps)
{
    if (!steps->source) {
        steps->source = g_idle_add_full(G_PRIORITY_DEFAULT, runNext, steps, NULL);
    }
}

void
dmStepsForward(DmSteps *steps)
{
    schedule(steps);
}

void
dmStepsBack(DmSteps *steps, GError *error)
{
    if (steps->back) {
        g_error_free(error);
        return;
    }
    steps->back = TRUE;
    steps->error = error;
    if (!steps->working) {
        schedule(steps);
    }
}

void
dmStepsDone(DmSteps *steps, GError *error)
{
    g_return_if_fail(steps->working);

    steps->working = FALSE;
    if (error && steps->back) {
        if (steps->undoing) {
            g_printerr("xen-stubdom-dm: %s\n", error->message);
        } /* else the step failed because of what sends us back, which is reported */
        g_error_free(error);
    } else if (error) {
        steps->failed = steps->table[steps->position].name;
        steps->back = TRUE;
        steps->error = error;
    }
    if (!steps->undoing) {
        steps->position++; /* of a step that failed too: its undo accepts what is half made */
    }
    schedule(steps);
}
