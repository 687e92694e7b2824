/*
 * Which stubdomain image a guest's device state belongs to
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A QEMU reads the state another version wrote, or fails to, or reads it
 * wrongly; nothing in the state says which version it was. So it is written
 * down when the guest is started, as the image may be replaced while it runs,
 * and looked at before a state is restored.
 */

#include "stubdom_compat.h"

#include "stubdom_save_identity.h"

#include "virbuffer.h"
#include "virfile.h"
#include "virjson.h"
#include "virstring.h"
#include "virxml.h"

VIR_LOG_INIT("stubdom.save_identity");

#define DEFAULT_IMAGE "linux"

/* Bytes of a descriptor. */
#define DESCRIPTOR_MAX (64 * 1024)

void
stubdomSaveIdentityFree(StubdomSaveIdentity *identity)
{
    if (!identity) {
        return;
    }
    g_free(identity->name);
    g_free(identity->digest);
    g_free(identity->qemu);
    g_free(identity);
}

static const char *
imageOf(const StubdomDriver *driver, const virDomainDef *def)
{
    const StubdomSettings *settings = def->namespaceData;

    if (settings && settings->image) {
        return settings->image;
    }
    return driver->defaults.stubdomain.image ? driver->defaults.stubdomain.image : DEFAULT_IMAGE;
}

static void
readDescriptor(const char *text, StubdomSaveIdentity *identity)
{
    g_autoptr(virJSONValue) descriptor = virJSONValueFromString(text);
    virJSONValue *versions = descriptor ? virJSONValueObjectGetObject(descriptor, "versions") : NULL;

    identity->qemu = versions ? g_strdup(virJSONValueObjectGetString(versions, "qemu")) : NULL;
    identity->digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
}

StubdomSaveIdentity *
stubdomSaveIdentityOf(const StubdomDriver *driver, const virDomainDef *def)
{
    StubdomSaveIdentity *identity = g_new0(StubdomSaveIdentity, 1);
    const char *image = imageOf(driver, def);
    g_autofree char *path =
        *image == '/' ? g_strdup(image) : g_strdup_printf("%s/%s/image.json", driver->imageDir, image);
    g_autofree char *text = NULL;

    identity->name = g_strdup(image);
    if (virFileReadAllQuiet(path, DESCRIPTOR_MAX, &text) < 0) {
        VIR_WARN("the descriptor '%s' of a stubdomain image cannot be read", path);
    } else {
        readDescriptor(text, identity);
        virResetLastError();
    }
    return identity;
}

void
stubdomSaveIdentityFormat(virBuffer *buffer, const StubdomSaveIdentity *identity)
{
    virBufferAddLit(buffer, "<image");
    virBufferEscapeString(buffer, " name='%s'", identity->name);
    virBufferEscapeString(buffer, " sha256='%s'", identity->digest);
    virBufferEscapeString(buffer, " qemu='%s'", identity->qemu);
    virBufferAddLit(buffer, "/>\n");
}

StubdomSaveIdentity *
stubdomSaveIdentityParse(xmlXPathContextPtr context)
{
    StubdomSaveIdentity *identity;

    if (!virXPathNode("./image", context)) {
        return NULL;
    }
    identity = g_new0(StubdomSaveIdentity, 1);
    identity->name = virXPathString("string(./image/@name)", context);
    identity->digest = virXPathString("string(./image/@sha256)", context);
    identity->qemu = virXPathString("string(./image/@qemu)", context);
    return identity;
}

/* What is unknown is not the same as anything. */
static bool
isSame(const char *one, const char *other)
{
    return one && other && STREQ(one, other);
}

static const char *
shown(const char *value)
{
    return value ? value : _("not known");
}

int
stubdomSaveIdentityCheck(const char *cookie, const StubdomSaveIdentity *now, const char *path, bool anyway)
{
    g_autoptr(xmlXPathContext) context = NULL;
    g_autoptr(xmlDoc) document = virXMLParseStringCtxt(cookie, _("(cookie of a save image)"), &context);
    g_autoptr(StubdomSaveIdentity) then = NULL;
    g_autofree char *text = NULL;

    if (document) {
        then = stubdomSaveIdentityParse(context);
    }
    if (!then) {
        virReportError(VIR_ERR_OPERATION_INVALID, _("'%s' does not say which stubdomain image it is of"), path);
        return -1;
    }
    if (isSame(then->digest, now->digest) || isSame(then->qemu, now->qemu)) {
        return 0;
    }
    text =
        g_strdup_printf(_("'%s' was saved with the stubdomain image '%s' and QEMU %s; the image that is installed now "
                          "is '%s' with QEMU %s"),
                        path, shown(then->name), shown(then->qemu), shown(now->name), shown(now->qemu));
    if (anyway) {
        VIR_WARN("%s", text);
        return 0;
    }
    virReportError(VIR_ERR_OPERATION_INVALID,
                   _("%s: install the former image again, or set restore_other_image in stubdom.conf to try"), text);
    return -1;
}
