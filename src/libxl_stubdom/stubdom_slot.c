/*
 * The slot of the stock libxl driver
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libvirtd ends when a driver module that is there cannot be loaded, and asks
 * its drivers for a URI in the order they were loaded in. This module has the
 * name of the stock libxl driver in a directory of ours. It uses no symbol of
 * libvirt's, so it loads with every libvirt; it then loads the stubdom driver,
 * which may fail, and the stock driver, whose result is its own. A stock driver
 * that is not installed is none to libvirtd, and so it is here.
 */

#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STOCK_FILE STOCK_DIRECTORY "/libvirt_driver_libxl.so"

typedef int (*RegisterFunc)(void);

static const char oursName[] = "libvirt_driver_stubdom.so";

__attribute__((visibility("default"))) int libxlRegister(void);

/* Loads @file for good and calls its @name. Says why it could not. */
static int
loadAndRegister(const char *file, const char *name, int scope)
{
    void *module = dlopen(file, RTLD_NOW | RTLD_NODELETE | scope);
    void *symbol = module ? dlsym(module, name) : NULL;
    RegisterFunc function = NULL;

    if (!symbol) {
        fprintf(stderr, "stubdom driver: %s\n", dlerror());
        return -1;
    }
    memcpy(&function, &symbol, sizeof(function));
    return function();
}

/* The stubdom driver lies beside this module. */
static char *
besideMe(void)
{
    Dl_info info;
    const char *slash;
    char *file = NULL;
    size_t length;

    if (dladdr(oursName, &info) == 0 || !(slash = strrchr(info.dli_fname, '/'))) {
        return NULL;
    }
    length = (size_t)(slash - info.dli_fname) + 1;
    if ((file = malloc(length + sizeof(oursName)))) {
        memcpy(file, info.dli_fname, length);
        memcpy(file + length, oursName, sizeof(oursName));
    }
    return file;
}

int
libxlRegister(void)
{
    char *ours = besideMe();

    if (!ours || loadAndRegister(ours, "stubdomRegister", RTLD_LOCAL) < 0) {
        fprintf(stderr, "stubdom driver: xen:///stubdom is not available; going on with the stock Xen driver\n");
    }
    free(ours);
    if (access(STOCK_FILE, F_OK) < 0) {
        fprintf(stderr, "stubdom driver: there is no stock Xen driver (%s), and no xen:///system\n", STOCK_FILE);
        return 0;
    }
    return loadAndRegister(STOCK_FILE, "libxlRegister", RTLD_GLOBAL);
}
