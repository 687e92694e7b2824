/*
 * The Linux guest's commands about PCI devices, disks and memory
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * edu, QEMU's teaching device (docs/specs/edu.txt of QEMU), needs no driver:
 * its registers are mapped from sysfs.
 */

#include "guest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PCI "/sys/bus/pci/devices"
#define EDU_VENDOR "0x1234"
#define EDU_DEVICE "0x11e8"
#define EDU_BYTES (1U << 20)
#define EDU_IDENTIFICATION 0x00
#define EDU_FACTORIAL 0x08
#define EDU_STATUS 0x20
#define EDU_BUSY 1U
#define EDU_SECONDS 10

/* The next entry of a directory that is not hidden, or NULL. */
static const char *
nextName(DIR *directory)
{
    struct dirent *entry = NULL;

    while (directory && (entry = readdir(directory)) && entry->d_name[0] == '.') {
    }
    return entry ? entry->d_name : NULL;
}

const char *
guestPci(char **words)
{
    DIR *directory = opendir(PCI);
    const char *name;

    (void)words;
    while ((name = nextName(directory))) {
        char vendor[16], device[16], class[16], driver[64];

        guestSay("pci %s %s:%s class %s driver %s", name, guestRead(vendor, sizeof(vendor), PCI "/%s/vendor", name) + 2,
                 guestRead(device, sizeof(device), PCI "/%s/device", name) + 2,
                 guestRead(class, sizeof(class), PCI "/%s/class", name) + 2,
                 guestLink(driver, sizeof(driver), PCI "/%s/driver", name));
    }
    if (directory) {
        closedir(directory);
    }
    return NULL;
}

/* Copies the place of the edu device into @place; returns whether there is one. */
static int
findEdu(char *place, size_t size)
{
    DIR *directory = opendir(PCI);
    const char *name;
    int found = 0;

    while (!found && (name = nextName(directory))) {
        char vendor[16], device[16];

        found = strcmp(guestRead(vendor, sizeof(vendor), PCI "/%s/vendor", name), EDU_VENDOR) == 0 &&
                strcmp(guestRead(device, sizeof(device), PCI "/%s/device", name), EDU_DEVICE) == 0;
        if (found) {
            snprintf(place, size, "%.12s", name);
        }
    }
    if (directory) {
        closedir(directory);
    }
    return found;
}

static const char *
factorial(volatile uint32_t *registers, uint32_t number)
{
    time_t end = time(NULL) + EDU_SECONDS;

    guestSay("edu identification %08x", registers[EDU_IDENTIFICATION / 4]);
    registers[EDU_FACTORIAL / 4] = number;
    while (registers[EDU_STATUS / 4] & EDU_BUSY) {
        if (time(NULL) > end) {
            return "the device is busy for good";
        }
    }
    guestSay("edu factorial %u is %u", number, registers[EDU_FACTORIAL / 4]);
    return NULL;
}

const char *
guestEdu(char **words)
{
    uint32_t number = words[1] ? (uint32_t)strtoul(words[1], NULL, 0) : 10;
    char place[32], path[128];
    const char *wrong;
    void *registers;
    int fd;

    if (!findEdu(place, sizeof(place))) {
        return "there is no such device";
    }
    snprintf(path, sizeof(path), PCI "/%s/enable", place);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "1", 1) != 1) {
        return strerror(errno);
    }
    close(fd);
    snprintf(path, sizeof(path), PCI "/%s/resource0", place);
    fd = open(path, O_RDWR | O_CLOEXEC);
    registers = fd < 0 ? MAP_FAILED : mmap(NULL, EDU_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (registers == MAP_FAILED) {
        return strerror(errno);
    }
    close(fd);
    wrong = factorial(registers, number);
    munmap(registers, EDU_BYTES);
    return wrong;
}

const char *
guestDisks(char **words)
{
    DIR *directory = opendir("/sys/block");
    const char *name;

    (void)words;
    while ((name = nextName(directory))) {
        char size[32], path[64], label[17];

        snprintf(path, sizeof(path), "/dev/%.32s", name);
        guestSay("disk %s sectors %s label %s", name, guestRead(size, sizeof(size), "/sys/block/%s/size", name),
                 guestRead(label, sizeof(label), "%s", path));
    }
    if (directory) {
        closedir(directory);
    }
    return NULL;
}

const char *
guestMemory(char **words)
{
    FILE *file = fopen("/proc/meminfo", "r");
    char line[128];

    (void)words;
    for (int i = 0; file && i < 3 && fgets(line, sizeof(line), file); i++) {
        line[strcspn(line, "\n")] = '\0';
        guestSay("mem %s", line);
    }
    if (file) {
        fclose(file);
    }
    return NULL;
}
