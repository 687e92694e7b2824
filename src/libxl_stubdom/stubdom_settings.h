/*
 * What a domain may say about its stubdomain
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

/* All members: immutable once parsed. Zero and NULL: not said, xen-stubdom-dm's default counts. */
typedef struct {
    char *image;                  /* name of an image or absolute path of its descriptor */
    unsigned long long memory;    /* KiB */
    unsigned int startTimeout;    /* seconds */
    unsigned int commandTimeout;  /* seconds */
    unsigned long long saveLimit; /* KiB */
    unsigned long long logLimit;  /* KiB */
} StubdomSettings;

/**
 * stubdomSettingsFree: frees @settings, which may be NULL.
 */
void stubdomSettingsFree(StubdomSettings *settings);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(StubdomSettings, stubdomSettingsFree)

/**
 * stubdomSettingsToOption: @settings as the list that follows `-stubdom` on xen-stubdom-dm's command line.
 * @settings: or NULL for none
 *
 * Returns a string to be freed with g_free(), or NULL if there is nothing to say. The words are those of
 * xen-stubdom-dm(8).
 */
char *stubdomSettingsToOption(const StubdomSettings *settings);

/**
 * stubdomSettingsAddConfig: the list @option with `config=` added.
 * @option: a list as of stubdomSettingsToOption(), or NULL
 * @file: path of the guest's configuration as JSON
 *
 * Returns a string to be freed with g_free().
 */
char *stubdomSettingsAddConfig(const char *option, const char *file);
