/*
 * An xl.cfg(5), taken apart
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libxlutil parses it, as it does for xl. But it can only be asked for
 * settings by name, and xl takes no notice of those it does not ask for. Here
 * an unknown setting is an error, so the names are looked for in the text.
 */

#include "stubdom_compat.h"

#include "stubdom_xl_cfg.h"

/* Skips a quoted string; returns the place of its last quote, or of the end. */
static const char *
skipString(const char *p)
{
    char quote = *p++;

    while (*p && *p != quote) {
        p += p[0] == '\\' && p[1] ? 2 : 1;
    }
    return p;
}

/* The settings' names: words before a '=' that are in no list, string or comment. */
static char **
listNames(const char *text)
{
    g_autoptr(GStrvBuilder) names = g_strv_builder_new();
    const char *word = NULL;
    const char *end = NULL;
    int depth = 0;

    for (const char *p = text; *p; p++) {
        if (*p == '#') {
            p += strcspn(p, "\n") - 1;
        } else if (*p == '"' || *p == '\'') {
            p = skipString(p);
        } else if (*p == '[' || *p == ']') {
            depth += *p == '[' ? 1 : -1;
        } else if (depth == 0 && (g_ascii_isalnum(*p) || *p == '_')) {
            word = p;
            end = p + strspn(p, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_");
            p = end - 1;
        } else if (depth == 0 && *p == '=' && word) {
            g_autofree char *name = g_strndup(word, (gsize)(end - word));

            g_strv_builder_add(names, name);
            word = NULL;
        }
        if (!*p) {
            break;
        }
    }
    return g_strv_builder_end(names);
}

static int
checkNames(const char *text, const char *const *known)
{
    g_auto(GStrv) names = listNames(text);

    for (char **name = names; *name; name++) {
        if (!g_strv_contains(known, *name)) {
            virReportError(VIR_ERR_CONFIG_UNSUPPORTED,
                           _("the setting '%s' of xl.cfg is not supported with a stubdomain, or not known"), *name);
            return -1;
        }
    }
    return 0;
}

StubdomXlCfg *
stubdomXlCfgNew(const char *text, const char *const *known)
{
    g_autoptr(StubdomXlCfg) cfg = g_new0(StubdomXlCfg, 1);

    if (!(cfg->report = open_memstream(&cfg->said, &cfg->length)) ||
        !(cfg->cfg = xlu_cfg_init(cfg->report, "xl.cfg"))) {
        virReportSystemError(errno, "%s", _("cannot read an xl.cfg"));
        return NULL;
    }
    if (xlu_cfg_readdata(cfg->cfg, text, (int)strlen(text)) != 0) {
        (void)fflush(cfg->report);
        virReportError(VIR_ERR_XML_ERROR, _("the xl.cfg cannot be read: %s"), g_strchomp(cfg->said));
        return NULL;
    }
    return checkNames(text, known) < 0 ? NULL : g_steal_pointer(&cfg);
}

void
stubdomXlCfgFree(StubdomXlCfg *cfg)
{
    if (!cfg) {
        return;
    }
    if (cfg->cfg) {
        xlu_cfg_destroy(cfg->cfg);
    }
    if (cfg->report) {
        (void)fclose(cfg->report);
    }
    free(cfg->said);
    g_free(cfg);
}

int
stubdomXlCfgError(StubdomXlCfg *cfg, const char *name)
{
    (void)fflush(cfg->report);
    virReportError(VIR_ERR_CONFIG_UNSUPPORTED, _("the setting '%s' of xl.cfg cannot be used: %s"), name,
                   cfg->said && *cfg->said ? g_strchomp(cfg->said) : _("its value is not supported with a stubdomain"));
    return -1;
}

bool
stubdomXlCfgIsList(const StubdomXlCfg *cfg, const char *name)
{
    return xlu_cfg_get_list(cfg->cfg, name, NULL, NULL, 1) == 0;
}

const char *
stubdomXlCfgString(const StubdomXlCfg *cfg, const char *name)
{
    const char *value = NULL;

    return xlu_cfg_get_string(cfg->cfg, name, &value, 1) == 0 ? value : NULL;
}

int
stubdomXlCfgNumber(StubdomXlCfg *cfg, const char *name, long *value)
{
    int result = xlu_cfg_get_long(cfg->cfg, name, value, 0);

    return result == 0 || result == ESRCH ? 0 : stubdomXlCfgError(cfg, name);
}

int
stubdomXlCfgStrings(StubdomXlCfg *cfg, const char *name, char ***values)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    const char *single = stubdomXlCfgString(cfg, name);
    XLU_ConfigList *list = NULL;
    int count = 0;
    int result = single ? ESRCH : xlu_cfg_get_list(cfg->cfg, name, &list, &count, 0);

    if (result != 0 && result != ESRCH) {
        return stubdomXlCfgError(cfg, name);
    }
    if (single) {
        g_strv_builder_add(builder, single);
    }
    for (int i = 0; i < count; i++) {
        const char *item = xlu_cfg_get_listitem(list, i);

        if (!item) {
            return stubdomXlCfgError(cfg, name);
        }
        g_strv_builder_add(builder, item);
    }
    *values = g_strv_builder_end(builder);
    return 0;
}
