/*
 * A libvirt that is another one
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Preloaded, to see the driver decline. OTHER_LIBVIRT says what is other: the
 * version, the size of libvirt's objects, or that of a domain definition.
 */

#include <dlfcn.h>
#include <glib-object.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define OTHER_VERSION 9000999
#define LARGER 64

int virGetVersion(unsigned long *libVer, const char *type, unsigned long *typeVer);

static bool
isOther(const char *what)
{
    const char *other = getenv("OTHER_LIBVIRT");

    return other && strcmp(other, what) == 0;
}

/* The function that would be called without this library. By @library: it is loaded later, and for its users alone. */
static void
next(const char *library, const char *name, void *function)
{
    void *handle = dlopen(library, RTLD_NOW | RTLD_NOLOAD);
    void *symbol = handle ? dlsym(handle, name) : NULL;

    if (!symbol) {
        abort();
    }
    memcpy(function, &symbol, sizeof(symbol));
}

int
virGetVersion(unsigned long *libVer, const char *type, unsigned long *typeVer)
{
    int (*real)(unsigned long *, const char *, unsigned long *) = NULL;

    if (isOther("version")) {
        *libVer = OTHER_VERSION;
        return 0;
    }
    next("libvirt.so.0", "virGetVersion", &real);
    return real(libVer, type, typeVer);
}

void
g_type_query(GType type, GTypeQuery *query)
{
    void (*real)(GType, GTypeQuery *) = NULL;

    next("libgobject-2.0.so.0", "g_type_query", &real);
    real(type, query);
    if (isOther("object")) {
        query->instance_size += LARGER;
    }
}

size_t
malloc_usable_size(void *block)
{
    size_t (*real)(void *) = NULL;

    next("libc.so.6", "malloc_usable_size", &real);
    return real(block) + (isOther("definition") ? LARGER : 0);
}
