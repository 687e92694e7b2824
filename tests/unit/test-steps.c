/*
 * Unit tests of steps that can be undone
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Each run writes what happened into one line of text: "+a" a step began,
 * "-a" its undo began, "." everything was run, "!a" everything was undone and
 * a is the step that failed ("!" when none did).
 */

#include <string.h>

#include "dm_error.h"
#include "dm_steps.h"

typedef struct {
    GString *trace;
    DmSteps *steps;
    const char *fails;     /* letters of the steps that fail */
    const char *undoFails; /* letters of the undos that fail */
    const char *slow;      /* letters of steps and undos that end only when settle() is called */
    char pending;          /* the slow one in work, or NUL */
    char *message;         /* of the last end */
    guint ends;
} Run;

static Run *run;

static void
end(char letter, gboolean fails)
{
    GError *error = NULL;

    if (fails) {
        error = g_error_new(DM_ERROR, DM_ERROR_SYSTEM, "%c failed", letter);
    }
    if (strchr(run->slow, letter)) {
        g_assert_cmpint(run->pending, ==, '\0');
        run->pending = letter;
        g_clear_error(&error);
    } else {
        dmStepsDone(run->steps, error);
    }
}

/* The slow step ends, well or, with @fails, badly. */
static void
settle(gboolean fails)
{
    GError *error = NULL;

    g_assert_cmpint(run->pending, !=, '\0');
    if (fails) {
        error = g_error_new(DM_ERROR, DM_ERROR_SYSTEM, "%c failed", run->pending);
    }
    run->pending = '\0';
    dmStepsDone(run->steps, error);
}

static void
begin(char letter)
{
    g_string_append_printf(run->trace, "+%c", letter);
    end(letter, strchr(run->fails, letter) != NULL);
}

static void
undo(char letter)
{
    g_string_append_printf(run->trace, "-%c", letter);
    end(letter, strchr(run->undoFails, letter) != NULL);
}

static void
runA(DmSteps *steps, gpointer opaque)
{
    begin('a');
}

static void
undoA(DmSteps *steps, gpointer opaque)
{
    undo('a');
}

static void
runB(DmSteps *steps, gpointer opaque)
{
    begin('b');
}

static void
undoB(DmSteps *steps, gpointer opaque)
{
    undo('b');
}

static void
runC(DmSteps *steps, gpointer opaque)
{
    begin('c');
}

static void
runD(DmSteps *steps, gpointer opaque)
{
    begin('d');
}

static void
undoD(DmSteps *steps, gpointer opaque)
{
    undo('d');
}

/* c has no undo. */
static const DmStep table[] = {
    {"a", runA, undoA}, {"b", runB, undoB}, {"c", runC, NULL}, {"d", runD, undoD}, {NULL, NULL, NULL},
};
static const DmStep emptyTable[] = {{NULL, NULL, NULL}};

static void
atEnd(DmSteps *steps, const char *failed, const GError *error, gpointer opaque)
{
    g_assert_true(opaque == run);
    g_assert_true(steps == run->steps);
    g_string_append_printf(run->trace, "%s%s", error ? "!" : ".", failed ? failed : "");
    g_free(run->message);
    run->message = error ? g_strdup(error->message) : NULL;
    run->ends++;
}

static void
runNew(const DmStep *steps, const char *fails, const char *undoFails, const char *slow)
{
    run = g_new0(Run, 1);
    run->trace = g_string_new(NULL);
    run->fails = fails;
    run->undoFails = undoFails;
    run->slow = slow;
    run->steps = dmStepsNew(steps, atEnd, run);
}

static void
runFree(void)
{
    dmStepsFree(run->steps);
    g_string_free(run->trace, TRUE);
    g_free(run->message);
    g_free(run);
    run = NULL;
}

/* Lets everything happen that can; the main loop then has nothing left to do. */
static void
spin(void)
{
    while (g_main_context_iteration(NULL, FALSE)) {
    }
}

static void
back(const char *reason)
{
    dmStepsBack(run->steps, g_error_new_literal(DM_ERROR, DM_ERROR_CANCELLED, reason));
}

static void
testForward(void)
{
    runNew(table, "", "", "");
    dmStepsForward(run->steps);
    g_assert_cmpstr(run->trace->str, ==, ""); /* nothing from within the call */
    spin();
    g_assert_cmpstr(run->trace->str, ==, "+a+b+c+d.");
    runFree();
}

static void
testEmpty(void)
{
    runNew(emptyTable, "", "", "");
    dmStepsForward(run->steps);
    spin();
    g_assert_cmpstr(run->trace->str, ==, ".");
    back("enough");
    spin();
    g_assert_cmpstr(run->trace->str, ==, ".!");
    runFree();
}

/* The undo of the failed step runs too, for it may be half done. */
static void
testFailure(void)
{
    static const struct {
        const char *fails;
        const char *trace;
    } cases[] = {
        {"a", "+a-a!a"},
        {"b", "+a+b-b-a!b"},
        {"c", "+a+b+c-b-a!c"},
        {"d", "+a+b+c+d-d-b-a!d"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *message = g_strdup_printf("%s failed", cases[i].fails);

        runNew(table, cases[i].fails, "", "");
        dmStepsForward(run->steps);
        spin();
        g_assert_cmpstr(run->trace->str, ==, cases[i].trace);
        g_assert_cmpstr(run->message, ==, message);
        g_assert_cmpuint(run->ends, ==, 1);
        runFree();
    }
}

static void
testBackAfterAll(void)
{
    runNew(table, "", "", "");
    dmStepsForward(run->steps);
    spin();
    back("the guest is gone");
    spin();
    g_assert_cmpstr(run->trace->str, ==, "+a+b+c+d.-d-b-a!");
    g_assert_cmpstr(run->message, ==, "the guest is gone");
    runFree();
}

static void
testBackBeforeStart(void)
{
    runNew(table, "", "", "");
    back("never mind");
    spin();
    g_assert_cmpstr(run->trace->str, ==, "!");
    g_assert_cmpstr(run->message, ==, "never mind");
    runFree();

    /* Also when the first step was only about to begin. */
    runNew(table, "", "", "");
    dmStepsForward(run->steps);
    back("never mind");
    spin();
    g_assert_cmpstr(run->trace->str, ==, "!");
    g_assert_cmpuint(run->ends, ==, 1);
    runFree();
}

static void
testBackWhileWorking(void)
{
    runNew(table, "", "", "b");
    dmStepsForward(run->steps);
    spin();
    g_assert_cmpstr(run->trace->str, ==, "+a+b");
    back("the stubdomain died");
    spin();
    g_assert_cmpstr(run->trace->str, ==, "+a+b"); /* b is waited for */
    settle(FALSE);
    run->slow = "";
    spin();
    g_assert_cmpstr(run->trace->str, ==, "+a+b-b-a!");
    g_assert_cmpstr(run->message, ==, "the stubdomain died");
    runFree();
}

/* A step that fails because of what sends us back is not the reason. */
static void
testBackWhileWorkingThenFailure(void)
{
    runNew(table, "", "", "b");
    dmStepsForward(run->steps);
    spin();
    back("the stubdomain died");
    settle(TRUE);
    run->slow = "";
    spin();
    g_assert_cmpstr(run->trace->str, ==, "+a+b-b-a!");
    g_assert_cmpstr(run->message, ==, "the stubdomain died");
    runFree();
}

static void
testBackTwice(void)
{
    runNew(table, "", "", "b");
    dmStepsForward(run->steps);
    spin();
    back("first");
    back("second");
    settle(FALSE);
    spin();
    back("third");
    g_assert_cmpstr(run->trace->str, ==, "+a+b-b");
    settle(FALSE);
    back("fourth");
    spin();
    g_assert_cmpstr(run->trace->str, ==, "+a+b-b-a!");
    g_assert_cmpstr(run->message, ==, "first");
    g_assert_cmpuint(run->ends, ==, 1);
    runFree();
}

/* Asked for after a failure has begun to undo by itself: the failure stays the reason. */
static void
testBackAfterFailure(void)
{
    runNew(table, "b", "", "");
    dmStepsForward(run->steps);
    while (!strstr(run->trace->str, "+b")) {
        g_assert_true(g_main_context_iteration(NULL, FALSE));
    }
    back("too late");
    spin();
    g_assert_cmpstr(run->trace->str, ==, "+a+b-b-a!b");
    g_assert_cmpstr(run->message, ==, "b failed");
    g_assert_cmpuint(run->ends, ==, 1);
    runFree();
}

static void
testUndoFailure(void)
{
    runNew(table, "d", "ab", "");
    dmStepsForward(run->steps);
    spin();
    g_assert_cmpstr(run->trace->str, ==, "+a+b+c+d-d-b-a!d");
    g_assert_cmpstr(run->message, ==, "d failed");
    g_assert_cmpuint(run->ends, ==, 1);
    runFree();
}

static void
testAsynchronous(void)
{
    runNew(table, "", "", "abcd");
    dmStepsForward(run->steps);
    for (guint i = 0; i < 4; i++) {
        spin();
        g_assert_cmpuint(run->trace->len, ==, 2 * (i + 1)); /* each waits for the one before */
        settle(i == 3);
    }
    for (guint i = 0; i < 3; i++) {
        spin();
        g_assert_cmpuint(run->trace->len, ==, 8 + 2 * (i + 1));
        g_assert_cmpuint(run->ends, ==, 0);
        settle(FALSE);
    }
    spin();
    g_assert_cmpstr(run->trace->str, ==, "+a+b+c+d-d-b-a!d");
    runFree();
}

static void
freeAtEnd(DmSteps *steps, const char *failed, const GError *error, gpointer opaque)
{
    Run *own = opaque;

    own->ends++;
    dmStepsFree(steps);
    own->steps = NULL;
}

static void
testFreeFromWithin(void)
{
    for (guint i = 0; i < 2; i++) {
        runNew(table, i == 0 ? "" : "c", "", "");
        dmStepsFree(run->steps);
        run->steps = dmStepsNew(table, freeAtEnd, run);
        dmStepsForward(run->steps);
        spin();
        g_assert_cmpuint(run->ends, ==, 1);
        runFree();
    }
}

/* What was scheduled does not outlive the steps. */
static void
testFreeScheduled(void)
{
    runNew(table, "", "", "");
    dmStepsForward(run->steps);
    dmStepsFree(run->steps);
    run->steps = NULL;
    spin();
    g_assert_cmpstr(run->trace->str, ==, "");
    runFree();
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/steps/forward", testForward);
    g_test_add_func("/steps/empty", testEmpty);
    g_test_add_func("/steps/failure", testFailure);
    g_test_add_func("/steps/back-after-all", testBackAfterAll);
    g_test_add_func("/steps/back-before-start", testBackBeforeStart);
    g_test_add_func("/steps/back-while-working", testBackWhileWorking);
    g_test_add_func("/steps/back-while-working-then-failure", testBackWhileWorkingThenFailure);
    g_test_add_func("/steps/back-twice", testBackTwice);
    g_test_add_func("/steps/back-after-failure", testBackAfterFailure);
    g_test_add_func("/steps/undo-failure", testUndoFailure);
    g_test_add_func("/steps/asynchronous", testAsynchronous);
    g_test_add_func("/steps/free-from-within", testFreeFromWithin);
    g_test_add_func("/steps/free-scheduled", testFreeScheduled);
    return g_test_run();
}
