/*
 * Domains in the words of Xen's own tools
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Towards them a domain goes through its translation for libxl, so that a
 * configuration says what a start would do. From them it goes through domain
 * XML, so that it is held to what a definition is held to.
 */

#include "stubdom_compat.h"

#include "stubdom_native.h"

#include "viraccessapicheck.h"

#include "stubdom_conf.h"

char *
stubdomConnectDomainXMLToNative(virConnectPtr conn, const char *format, const char *xml, unsigned int flags)
{
    StubdomDriver *driver = conn->privateData;
    g_auto(StubdomLibxlConfig) config = STUBDOM_LIBXL_CONFIG_INIT;
    g_autoptr(virDomainDef) def = NULL;
    bool json = STREQ(format, STUBDOM_NATIVE_JSON);

    virCheckFlags(0, NULL);
    if (virConnectDomainXMLToNativeEnsureACL(conn) < 0) {
        return NULL;
    }
    if (!json && STRNEQ(format, STUBDOM_NATIVE_XL)) {
        virReportError(VIR_ERR_INVALID_ARG, _("the format '%s' is not known; there are '%s' and '%s'"), format,
                       STUBDOM_NATIVE_JSON, STUBDOM_NATIVE_XL);
        return NULL;
    }
    if (!(def = virDomainDefParseString(xml, driver->xmlopt, NULL, VIR_DOMAIN_DEF_PARSE_INACTIVE)) ||
        stubdomLibxlConfigBuild(&config, def, &driver->defaults.stubdomain) < 0) {
        return NULL;
    }
    return json ? stubdomLibxlConfigToJson(&config) : stubdomNativeWrite(&config, def);
}

char *
stubdomConnectDomainXMLFromNative(virConnectPtr conn, const char *format, const char *text, unsigned int flags)
{
    StubdomDriver *driver = conn->privateData;
    g_autoptr(virDomainDef) def = NULL;
    g_autofree char *xml = NULL;

    virCheckFlags(0, NULL);
    if (virConnectDomainXMLFromNativeEnsureACL(conn) < 0) {
        return NULL;
    }
    if (STRNEQ(format, STUBDOM_NATIVE_XL)) {
        virReportError(VIR_ERR_INVALID_ARG, _("the format '%s' cannot be read; '%s' can"), format, STUBDOM_NATIVE_XL);
        return NULL;
    }
    if (!(xml = stubdomNativeRead(text)) ||
        !(def = virDomainDefParseString(xml, driver->xmlopt, NULL, VIR_DOMAIN_DEF_PARSE_INACTIVE))) {
        return NULL;
    }
    /* A password in it is the caller's own. */
    return virDomainDefFormat(def, driver->xmlopt, VIR_DOMAIN_DEF_FORMAT_INACTIVE | VIR_DOMAIN_DEF_FORMAT_SECURE);
}
