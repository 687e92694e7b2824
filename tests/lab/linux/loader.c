/*
 * Loader of the Linux guest: from the first IDE disk into the kernel
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Direct kernel boot does not reach a guest whose device model is in a
 * stubdomain, and a boot loader that reads by INT 13h asks the device model
 * several times for each sector, which takes minutes in an emulator. So this
 * programs the disk controller of QEMU's PC (PIIX3, bus master) and reads
 * megabytes with one command. The kernel is not compressed: unpacking it
 * would take longer than reading it. Made by build, which fills in the
 * configuration. Knows nothing of file systems, other controllers or modes.
 */

#include <stdint.h>

/* As in layout.inc. */
#define E820_COUNT 0x4ff0
#define E820_TABLE 0x5000
#define CONFIG 0xd800 /* the last 2 KiB the boot sector loads */
#define BOOT_PARAMS 0x10000
#define COMMAND_LINE 0x11000
#define PRD_TABLE 0x60000
#define PAGE_TABLES 0x70000

#define COM1 0x3f8
#define ATA 0x1f0
#define ATA_READ_DMA_EXT 0x25
#define SECTOR 512U
#define CHUNK (8U << 20)
#define PRD_BYTES 65536U

/* Offsets in the kernel's boot parameters (Documentation/x86/boot.rst, zero-page.rst). */
#define PARAM_E820_COUNT 0x1e8
#define PARAM_HEADER 0x1f1
#define PARAM_LOADER 0x210
#define PARAM_RAMDISK 0x218
#define PARAM_RAMDISK_SIZE 0x21c
#define PARAM_COMMAND_LINE 0x228
#define PARAM_E820 0x2d0

/* What build writes into the image. Sizes in bytes, places in sectors of the disk and in memory. */
typedef struct {
    uint32_t kernelSector, kernelSize, kernelAddress, entry;
    uint32_t ramdiskSector, ramdiskSize, ramdiskAddress, end;
    uint32_t sum; /* of all 32-bit words of kernel and ramdisk */
    char commandLine[1024];
    uint32_t headerSize;
    uint8_t header[256]; /* of the bzImage, from PARAM_HEADER */
} LoaderConfig;

void loaderMain(void);
void loaderEnter(void *pageTable, void *bootParams, uint32_t entry) __attribute__((noreturn));

static void
out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static void
out32(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static uint8_t
in8(uint16_t port)
{
    uint8_t value;

    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static uint32_t
in32(uint16_t port)
{
    uint32_t value;

    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static void
say(const char *text)
{
    while (*text) {
        while (!(in8(COM1 + 5) & 0x20)) {
        }
        out8(COM1, (uint8_t)*text++);
    }
}

static void
sayNumber(uint32_t number)
{
    char text[] = " 00000000";

    for (int i = 8; i > 0; i--) {
        text[i] = "0123456789abcdef"[number & 15];
        number >>= 4;
    }
    say(text);
}

/* Says what is wrong, with two numbers; halts with interrupts on and masked: Xen takes another halt for a shutdown. */
static void
fail(const char *text, uint32_t first, uint32_t second)
{
    say("linux guest: loader: ");
    say(text);
    sayNumber(first);
    sayNumber(second);
    say("\r\n");
    out8(0xa1, 0xff);
    out8(0x21, 0xff);
    for (;;) {
        __asm__ volatile("sti; hlt");
    }
}

static uint32_t
pciRead(uint32_t device, uint32_t reg)
{
    out32(0xcf8, 0x80000000U | device << 8 | reg);
    return in32(0xcfc);
}

static void
pciWrite(uint32_t device, uint32_t reg, uint32_t value)
{
    out32(0xcf8, 0x80000000U | device << 8 | reg);
    out32(0xcfc, value);
}

/* The I/O ports of the IDE controller's bus master. */
static uint16_t
findBusMaster(void)
{
    for (uint32_t device = 0; device < 256; device++) {
        if (pciRead(device, 8) >> 16 == 0x0101) {
            pciWrite(device, 4, pciRead(device, 4) | 5); /* I/O ports, bus master */
            return (uint16_t)(pciRead(device, 0x20) & 0xfff0);
        }
    }
    fail("there is no IDE controller", 0, 0);
    return 0;
}

/* One command: at most CHUNK bytes, in whole sectors. */
static void
readChunk(uint16_t busMaster, uint32_t sector, uint32_t size, uint32_t address)
{
    uint32_t *prd = (uint32_t *)PRD_TABLE;
    uint32_t sectors = size / SECTOR;
    uint8_t status;

    for (uint32_t done = 0; done < size;) {
        uint32_t part = PRD_BYTES - ((address + done) & (PRD_BYTES - 1));

        if (part > size - done) {
            part = size - done;
        }
        prd[0] = address + done;
        done += part;
        prd[1] = (part & 0xffff) | (done == size ? 0x80000000U : 0);
        prd += 2;
    }
    out8(busMaster, 0);
    out32((uint16_t)(busMaster + 4), PRD_TABLE);
    out8((uint16_t)(busMaster + 2), 6);
    out8(ATA + 6, 0xe0);
    for (int high = 1; high >= 0; high--) {
        out8(ATA + 2, (uint8_t)(high ? sectors >> 8 : sectors));
        out8(ATA + 3, (uint8_t)(high ? sector >> 24 : sector));
        out8(ATA + 4, (uint8_t)(high ? 0 : sector >> 8));
        out8(ATA + 5, (uint8_t)(high ? 0 : sector >> 16));
    }
    out8(ATA + 7, ATA_READ_DMA_EXT);
    out8(busMaster, 9); /* to memory, start */
    do {
        status = in8((uint16_t)(busMaster + 2));
    } while (!(status & 6));
    out8(busMaster, 0);
    if ((status & 2) || (in8(ATA + 7) & 1)) {
        fail("the disk cannot be read: status, error", status, in8(ATA + 1));
    }
}

static void
readDisk(uint16_t busMaster, uint32_t sector, uint32_t size, uint32_t address)
{
    size = (size + SECTOR - 1) & ~(SECTOR - 1);
    while (size > 0) {
        uint32_t part = size > CHUNK ? CHUNK : size;

        readChunk(busMaster, sector, part, address);
        sector += part / SECTOR;
        address += part;
        size -= part;
    }
}

static void
copy(void *to, const void *from, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++) {
        ((uint8_t *)to)[i] = ((const uint8_t *)from)[i];
    }
}

/* The first 4 GiB onto themselves, in pages of 2 MiB. */
static void *
makePageTables(void)
{
    uint64_t *top = (uint64_t *)PAGE_TABLES;
    uint64_t *middle = top + 512;
    uint64_t *bottom = middle + 512;

    for (uint32_t i = 0; i < 1024; i++) {
        top[i] = 0;
    }
    top[0] = (uint32_t)middle | 3;
    for (uint32_t i = 0; i < 4; i++) {
        middle[i] = (uint32_t)(bottom + i * 512) | 3;
    }
    for (uint32_t i = 0; i < 2048; i++) {
        bottom[i] = (uint64_t)i << 21 | 0x83;
    }
    return top;
}

static void
checkMemory(const LoaderConfig *config)
{
    const uint32_t *entry = (const uint32_t *)E820_TABLE;

    for (uint16_t i = 0; i < *(const uint16_t *)E820_COUNT; i++, entry += 5) {
        if (entry[4] == 1 && entry[1] == 0 && entry[0] <= config->kernelAddress && entry[2] >= config->end - entry[0]) {
            return;
        }
    }
    fail("the guest has too little memory: needed up to", config->end, 0);
}

static uint8_t *
makeBootParams(const LoaderConfig *config)
{
    uint8_t *params = (uint8_t *)BOOT_PARAMS;
    uint16_t count = *(const uint16_t *)E820_COUNT;

    for (uint32_t i = 0; i < 4096; i++) {
        params[i] = 0;
    }
    copy(params + PARAM_HEADER, config->header, config->headerSize);
    copy((void *)COMMAND_LINE, config->commandLine, sizeof(config->commandLine));
    params[PARAM_LOADER] = 0xff;
    *(uint32_t *)(params + PARAM_RAMDISK) = config->ramdiskAddress;
    *(uint32_t *)(params + PARAM_RAMDISK_SIZE) = config->ramdiskSize;
    *(uint32_t *)(params + PARAM_COMMAND_LINE) = COMMAND_LINE;
    params[PARAM_E820_COUNT] = (uint8_t)count;
    copy(params + PARAM_E820, (const void *)E820_TABLE, count * 20U);
    return params;
}

static uint32_t
sumOf(uint32_t address, uint32_t size)
{
    const uint32_t *word = (const uint32_t *)address;
    uint32_t sum = 0;

    for (uint32_t i = 0; i < size / 4; i++) {
        sum += word[i];
    }
    return sum;
}

void
loaderMain(void)
{
    const LoaderConfig *config = (const LoaderConfig *)CONFIG;
    uint16_t busMaster = findBusMaster();
    uint32_t sum;

    say("linux guest: loading\r\n");
    checkMemory(config);
    readDisk(busMaster, config->kernelSector, config->kernelSize, config->kernelAddress);
    readDisk(busMaster, config->ramdiskSector, config->ramdiskSize, config->ramdiskAddress);
    sum = sumOf(config->kernelAddress, config->kernelSize) + sumOf(config->ramdiskAddress, config->ramdiskSize);
    if (sum != config->sum) {
        fail("what was read is not what was written: sum, wanted", sum, config->sum);
    }
    say("linux guest: starting\r\n");
    loaderEnter(makePageTables(), makeBootParams(config), config->entry);
}
