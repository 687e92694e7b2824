/*
 * An xl.cfg(5), taken apart
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <stdbool.h>
#include <stdio.h>

#include <libxlutil.h>

#include <glib.h>

typedef struct {
    XLU_Config *cfg;
    FILE *report;  /* where libxlutil complains to: into … */
    char *said;    /* … this */
    size_t length; /* bytes of it */
} StubdomXlCfg;

/**
 * stubdomXlCfgNew: parses @text.
 * @known: all settings it may have, sorted by nothing, NULL at the end
 *
 * Returns it, to be freed with stubdomXlCfgFree(), or NULL with an error reported, which names a setting that is not
 * known.
 */
StubdomXlCfg *stubdomXlCfgNew(const char *text, const char *const *known);
void stubdomXlCfgFree(StubdomXlCfg *cfg);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StubdomXlCfg, stubdomXlCfgFree)

/**
 * stubdomXlCfgError: reports that the setting @name cannot be used, with what libxlutil said.
 *
 * Returns -1.
 */
int stubdomXlCfgError(StubdomXlCfg *cfg, const char *name);

/**
 * stubdomXlCfgIsList: whether the setting @name is there and a list.
 */
bool stubdomXlCfgIsList(const StubdomXlCfg *cfg, const char *name);

/**
 * stubdomXlCfgString: the string @name, or NULL if it is not there or a list. It is @cfg's.
 */
const char *stubdomXlCfgString(const StubdomXlCfg *cfg, const char *name);

/**
 * stubdomXlCfgNumber: the number @name into @value, which stays as it is if there is none.
 *
 * Returns 0, or -1 with an error reported if it is something else.
 */
int stubdomXlCfgNumber(StubdomXlCfg *cfg, const char *name, long *value);

/**
 * stubdomXlCfgStrings: the list of strings @name; of a string, a list of it alone.
 * @values: gets a list to be freed with g_strfreev(), empty if there is no such setting
 *
 * Returns 0, or -1 with an error reported.
 */
int stubdomXlCfgStrings(StubdomXlCfg *cfg, const char *name, char ***values);
