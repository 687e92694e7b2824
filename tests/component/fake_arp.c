/*
 * The neighbours of the host that runs the driver, as a test wants them
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libvirt's own table, which comes from the kernel, is empty but for what
 * $FAKENET_DIR/neighbours says: an address and a MAC a line.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As in libvirt's virarptable.h; it frees what it is given. */
typedef struct {
    char *address;
    char *mac;
} Entry;

typedef struct {
    int count;
    Entry *entries;
} Table;

Table *virArpTableGet(void);

Table *
virArpTableGet(void)
{
    const char *directory = getenv("FAKENET_DIR");
    Table *table = calloc(1, sizeof(*table));
    char path[4096];
    char address[64];
    char mac[32];
    FILE *file;

    if (!table) {
        abort();
    }
    snprintf(path, sizeof(path), "%s/neighbours", directory ? directory : "");
    file = fopen(path, "re");
    while (file && fscanf(file, "%63s %31s", address, mac) == 2) {
        table->entries = realloc(table->entries, (size_t)(table->count + 1) * sizeof(Entry));
        if (!table->entries) {
            abort();
        }
        table->entries[table->count++] = (Entry){strdup(address), strdup(mac)};
    }
    if (file) {
        fclose(file);
    }
    return table;
}
