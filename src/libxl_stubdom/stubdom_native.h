/*
 * Domains in the words of Xen's own tools
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "datatypes.h"

#include "stubdom_libxl_config.h"

/* The formats of domxml-to-native; the second one, of domxml-from-native too. */
#define STUBDOM_NATIVE_JSON "libxl-json" /* a libxl_domain_config */
#define STUBDOM_NATIVE_XL "xen-xl"       /* xl.cfg(5), by the name the stock Xen driver has for it */

char *stubdomConnectDomainXMLToNative(virConnectPtr conn, const char *format, const char *xml, unsigned int flags);
char *stubdomConnectDomainXMLFromNative(virConnectPtr conn, const char *format, const char *text, unsigned int flags);

/* --- the two directions of xl.cfg ------------------------------------------ */

/**
 * stubdomNativeWrite: @config, the translation of @def, as an xl.cfg(5).
 *
 * Returns a string to be freed with g_free(), or NULL with an error reported if there are no words for something.
 */
char *stubdomNativeWrite(const StubdomLibxlConfig *config, const virDomainDef *def);

/**
 * stubdomNativeWriteString: adds a setting with a text to an xl.cfg(5); nothing if @value is NULL.
 */
void stubdomNativeWriteString(virBuffer *buf, const char *name, const char *value);

/**
 * stubdomNativeRead: @text, an xl.cfg(5), as domain XML.
 *
 * Every setting must be one that is known here; whether its value can be mapped is seen when the XML is read.
 *
 * Returns a string to be freed with g_free(), or NULL with an error reported.
 */
char *stubdomNativeRead(const char *text);
