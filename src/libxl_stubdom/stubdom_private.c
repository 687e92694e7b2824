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

static const char *const stateNames[] = {
    [STUBDOM_HOSTDEV_ATTACHING] = "attaching",
    [STUBDOM_HOSTDEV_REMOVING] = "removing",
    [STUBDOM_HOSTDEV_LEFT] = "left",
};

StubdomHostdevState
stubdomHostdevState(const virDomainObj *vm, const char *address)
{
    return GPOINTER_TO_INT(g_hash_table_lookup(stubdomPrivate(vm)->hostdevs, address));
}

void
stubdomSetHostdevState(virDomainObj *vm, const char *address, StubdomHostdevState state)
{
    if (state == STUBDOM_HOSTDEV_SETTLED) {
        g_hash_table_remove(stubdomPrivate(vm)->hostdevs, address);
    } else {
        g_hash_table_insert(stubdomPrivate(vm)->hostdevs, g_strdup(address), GINT_TO_POINTER(state));
    }
}

static void *
privateAlloc(void *opaque)
{
    StubdomDomainPrivate *priv = g_new0(StubdomDomainPrivate, 1);

    if (!(priv->consoles = virChrdevAlloc())) {
        g_free(priv);
        return NULL;
    }
    priv->hostdevs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return priv;
}

static void
privateFree(void *opaque)
{
    StubdomDomainPrivate *priv = opaque;

    stubdomMonitorClose(priv->monitor);
    stubdomDeathUnref(priv->death);
    virChrdevFree(priv->consoles);
    g_hash_table_unref(priv->hostdevs);
    stubdomSaveIdentityFree(priv->identity);
    stubdomPumpUnref(priv->pump);
    g_free(priv->savingTo);
    g_free(priv->changing);
    g_free(priv->endReason);
    g_free(priv);
}

static void
formatHostdevs(virBuffer *buffer, GHashTable *hostdevs)
{
    GHashTableIter iterator;
    gpointer address;
    gpointer state;

    g_hash_table_iter_init(&iterator, hostdevs);
    while (g_hash_table_iter_next(&iterator, &address, &state)) {
        virBufferAsprintf(buffer, "<hostdev address='%s' state='%s'/>\n", (const char *)address,
                          stateNames[GPOINTER_TO_INT(state)]);
    }
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
    if (priv->stopping) {
        virBufferAddLit(buffer, "<stopping/>\n");
    }
    if (priv->changing) {
        virBufferEscapeString(buffer, "<changing %s",
                              priv->changingKind == VIR_DOMAIN_DEVICE_DISK ? "disk" : "interface");
        virBufferEscapeString(buffer, "='%s'/>\n", priv->changing);
    }
    if (priv->passthrough) {
        virBufferAddLit(buffer, "<passthrough/>\n");
    }
    formatHostdevs(buffer, priv->hostdevs);
    if (priv->identity) {
        stubdomSaveIdentityFormat(buffer, priv->identity);
    }
    if (priv->savingTo) {
        virBufferEscapeString(buffer, "<saving file='%s'", priv->savingTo);
        virBufferAsprintf(buffer, "%s former='%llu'/>\n", priv->savingPaused ? " paused='yes'" : "",
                          priv->savingFormer);
    }
    if (priv->restored) {
        virBufferAsprintf(buffer, "<restored%s%s/>\n", priv->restoredManaged ? " managed='yes'" : "",
                          priv->restoredPaused ? " paused='yes'" : "");
    }
    return 0;
}

static int
parseHostdevs(xmlXPathContextPtr context, virDomainObj *vm)
{
    g_autofree xmlNodePtr *nodes = NULL;
    int count = virXPathNodeSet("./hostdev", context, &nodes);

    for (int i = 0; i < count; i++) {
        g_autofree char *address = virXMLPropString(nodes[i], "address");
        g_autofree char *name = virXMLPropString(nodes[i], "state");
        int state = STUBDOM_HOSTDEV_LEFT;

        while (state > 0 && STRNEQ_NULLABLE(name, stateNames[state])) {
            state--;
        }
        if (!address || state == 0) {
            virReportError(VIR_ERR_XML_ERROR, _("the state of a device of the host is '%s'"), NULLSTR(name));
            return -1;
        }
        stubdomSetHostdevState(vm, address, (StubdomHostdevState)state);
    }
    return count < 0 ? -1 : 0;
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
    priv->stopping = virXPathBoolean("boolean(./stopping)", context) == 1;
    priv->changing = virXPathString("string(./changing/@disk)", context);
    priv->changingKind = priv->changing ? VIR_DOMAIN_DEVICE_DISK : VIR_DOMAIN_DEVICE_NET;
    if (!priv->changing) {
        priv->changing = virXPathString("string(./changing/@interface)", context);
    }
    priv->rebooting = virXPathBoolean("boolean(./rebooting)", context) == 1;
    priv->passthrough = virXPathBoolean("boolean(./passthrough)", context) == 1;
    priv->identity = stubdomSaveIdentityParse(context);
    priv->savingTo = virXPathString("string(./saving/@file)", context);
    priv->savingPaused = virXPathBoolean("boolean(./saving/@paused)", context) == 1;
    if (virXPathULongLong("string(./saving/@former)", context, &priv->savingFormer) == -2) {
        virReportError(VIR_ERR_XML_ERROR, "%s", _("the inode of a former save image is no number"));
        return -1;
    }
    priv->restored = virXPathBoolean("boolean(./restored)", context) == 1;
    priv->restoredManaged = virXPathBoolean("boolean(./restored/@managed)", context) == 1;
    priv->restoredPaused = virXPathBoolean("boolean(./restored/@paused)", context) == 1;
    return parseHostdevs(context, vm);
}

const virDomainXMLPrivateDataCallbacks stubdomPrivateCallbacks = {
    .alloc = privateAlloc,
    .free = privateFree,
    .format = privateFormat,
    .parse = privateParse,
};
