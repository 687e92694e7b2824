/*
 * What a domain may say about its stubdomain
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

/* Ranges, those of xen-stubdom-dm. */
#define STUBDOM_MEMORY_MIN (16ULL * 1024)      /* KiB */
#define STUBDOM_MEMORY_MAX (65536ULL * 1024)   /* KiB */
#define STUBDOM_TIMEOUT_MAX 3600U              /* seconds */
#define STUBDOM_LIMIT_MIN 4ULL                 /* KiB */
#define STUBDOM_LIMIT_MAX (4ULL * 1024 * 1024) /* KiB */

/* What is said of a PCI device of the host, which the domain need not have. */
typedef struct {
    char *address;      /* DDDD:BB:DD.F */
    bool permissive;    /* the guest may write all of its configuration space */
    bool resetOptional; /* it is given away even if the kernel cannot reset it */
    bool forced;        /* it is taken from a guest that does not let go */
} StubdomHostdevSettings;

/* All members: immutable once parsed. Zero and NULL: not said, the default counts. */
typedef struct {
    char *image;                  /* name of an image or absolute path of its descriptor */
    unsigned long long memory;    /* KiB */
    unsigned int startTimeout;    /* seconds */
    unsigned int commandTimeout;  /* seconds */
    unsigned long long saveLimit; /* KiB */
    unsigned long long logLimit;  /* KiB */
    StubdomHostdevSettings *hostdevs;
    size_t nhostdevs;
} StubdomSettings;

/**
 * stubdomSettingsFree: frees @settings, which may be NULL.
 */
void stubdomSettingsFree(StubdomSettings *settings);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(StubdomSettings, stubdomSettingsFree)

/**
 * stubdomSettingsImageIsValid: whether @image can be the name of an image or the absolute path of a descriptor.
 */
bool stubdomSettingsImageIsValid(const char *image);

/**
 * stubdomSettingsHostdev: what is said of a device of the host.
 * @settings: or NULL
 * @address: DDDD:BB:DD.F
 *
 * Returns it, owned by @settings; never NULL, as there is a default for all.
 */
const StubdomHostdevSettings *stubdomSettingsHostdev(const StubdomSettings *settings, const char *address);

/**
 * stubdomSettingsToOption: @settings as the list that follows `-stubdom` on xen-stubdom-dm's command line.
 * @settings: or NULL for none
 * @defaults: what counts for what @settings do not say, or NULL; what they do not say either is xen-stubdom-dm's affair
 * @cpus: list of the host's CPUs the stubdomain may run on, or NULL for all
 *
 * Returns a string to be freed with g_free(), or NULL if there is nothing to say. The words are those of
 * xen-stubdom-dm(8).
 */
char *stubdomSettingsToOption(const StubdomSettings *settings, const StubdomSettings *defaults, const char *cpus);

/**
 * stubdomSettingsAddFile: the list @option with a file added.
 * @option: a list as of stubdomSettingsToOption(), or NULL
 * @key: `config` for the guest's configuration, `display` for its display's
 * @file: path of it
 *
 * Returns a string to be freed with g_free().
 */
char *stubdomSettingsAddFile(const char *option, const char *key, const char *file);
