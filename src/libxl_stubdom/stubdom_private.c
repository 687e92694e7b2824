/*
 * What the driver keeps of a domain beside its definition
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What cannot be found out anew after a restart of libvirtd is in the status
 * file. libvirt's parser calls these functions for it.
 */

#include "stubdom_compat.h"

#include "stubdom_private.h"

#include "virxml.h"

#include "stubdom_save_identity.h"

static void *
privateAlloc(void *opaque)
{
    StubdomDomainPrivate *priv = g_new0(StubdomDomainPrivate, 1);

    if (!(priv->consoles = virChrdevAlloc())) {
        g_free(priv);
        return NULL;
    }
    return priv;
}

static void
privateFree(void *opaque)
{
    StubdomDomainPrivate *priv = opaque;

    stubdomMonitorClose(priv->monitor);
    stubdomDeathUnref(priv->death);
    virChrdevFree(priv->consoles);
    stubdomSaveIdentityFree(priv->identity);
    stubdomPumpUnref(priv->pump);
    g_free(priv->savingTo);
    g_free(priv->endReason);
    g_free(priv);
}

static int
privateFormat(virBuffer *buffer, virDomainObj *vm)
{
    const StubdomDomainPrivate *priv = stubdomPrivate(vm);

    if (priv->stubdomain) {
        virBufferAsprintf(buffer, "<stubdomain id='%u'/>\n", priv->stubdomain);
    }
    if (priv->preserved) {
        virBufferAddLit(buffer, "<preserved/>\n");
    }
    if (priv->rebooting) {
        virBufferAddLit(buffer, "<rebooting/>\n");
    }
    if (priv->identity) {
        stubdomSaveIdentityFormat(buffer, priv->identity);
    }
    if (priv->savingTo) {
        virBufferEscapeString(buffer, "<saving file='%s'", priv->savingTo);
        virBufferAsprintf(buffer, "%s/>\n", priv->savingPaused ? " paused='yes'" : "");
    }
    if (priv->restored) {
        virBufferAsprintf(buffer, "<restored%s%s/>\n", priv->restoredManaged ? " managed='yes'" : "",
                          priv->restoredPaused ? " paused='yes'" : "");
    }
    return 0;
}

static int
privateParse(xmlXPathContextPtr context, virDomainObj *vm, virDomainDefParserConfig *config)
{
    StubdomDomainPrivate *priv = stubdomPrivate(vm);
    unsigned int id = 0;

    if (virXPathUInt("string(./stubdomain/@id)", context, &id) == -2) {
        virReportError(VIR_ERR_XML_ERROR, "%s", _("the id of the stubdomain is no number"));
        return -1;
    }
    priv->stubdomain = id;
    priv->preserved = virXPathBoolean("boolean(./preserved)", context) == 1;
    priv->rebooting = virXPathBoolean("boolean(./rebooting)", context) == 1;
    priv->identity = stubdomSaveIdentityParse(context);
    priv->savingTo = virXPathString("string(./saving/@file)", context);
    priv->savingPaused = virXPathBoolean("boolean(./saving/@paused)", context) == 1;
    priv->restored = virXPathBoolean("boolean(./restored)", context) == 1;
    priv->restoredManaged = virXPathBoolean("boolean(./restored/@managed)", context) == 1;
    priv->restoredPaused = virXPathBoolean("boolean(./restored/@paused)", context) == 1;
    return 0;
}

const virDomainXMLPrivateDataCallbacks stubdomPrivateCallbacks = {
    .alloc = privateAlloc,
    .free = privateFree,
    .format = privateFormat,
    .parse = privateParse,
};
