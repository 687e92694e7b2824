/*
 * PID 1 of the Linux guest, and its only program
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Loads the modules of the initramfs, then takes commands from the first
 * serial port, one a line. Also what the kernel runs to power off or reboot
 * (/sbin/poweroff, /sbin/reboot) when the toolstack asks through xenstore, and
 * what hears the power button. No shell, no other process.
 */

#include "guest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/input.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#define WORDS_MAX 8
#define INPUTS_MAX 8

static int serial = -1;

void
guestSay(const char *format, ...)
{
    char line[256];
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(line, sizeof(line) - 1, format, arguments);
    va_end(arguments);
    if (length > (int)sizeof(line) - 2) {
        length = sizeof(line) - 2;
    }
    line[length++] = '\n';
    (void)!write(serial, line, (size_t)length);
}

char *
guestRead(char *text, size_t size, const char *format, ...)
{
    char path[256];
    va_list arguments;
    ssize_t length;
    int fd;

    va_start(arguments, format);
    vsnprintf(path, sizeof(path), format, arguments);
    va_end(arguments);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    length = fd < 0 ? 0 : read(fd, text, size - 1);
    if (fd >= 0) {
        close(fd);
    }
    text[length > 0 ? length : 0] = '\0';
    text[strcspn(text, "\n")] = '\0';
    return text;
}

char *
guestLink(char *text, size_t size, const char *format, ...)
{
    char path[256], target[256];
    va_list arguments;
    ssize_t length;

    va_start(arguments, format);
    vsnprintf(path, sizeof(path), format, arguments);
    va_end(arguments);
    length = readlink(path, target, sizeof(target) - 1);
    target[length > 0 ? length : 0] = '\0';
    snprintf(text, size, "%s", length > 0 ? strrchr(target, '/') + 1 : "-");
    return text;
}

static void
loadModules(void)
{
    FILE *list = fopen("/modules/list", "r");
    char path[128];

    while (list && fscanf(list, "%127s", path) == 1) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);

        if (fd < 0 || syscall(SYS_finit_module, fd, "", 0) < 0) {
            guestSay("error modules: %s: %s", path, strerror(errno));
        }
        close(fd);
    }
    if (list) {
        fclose(list);
    }
}

static void
openSerial(void)
{
    struct termios settings;

    serial = open("/dev/ttyS0", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (serial < 0 || tcgetattr(serial, &settings) < 0) {
        exit(1); /* a panic */
    }
    settings.c_lflag = ICANON;
    settings.c_iflag = ICRNL;
    settings.c_oflag = OPOST | ONLCR;
    tcsetattr(serial, TCSANOW, &settings);
}

/* Never returns. */
static void
powerDown(const char *what, int how)
{
    guestSay("linux guest: %s", what);
    tcdrain(serial);
    reboot(how);
    exit(1);
}

static const char *
off(char **words)
{
    (void)words;
    powerDown("off", RB_POWER_OFF);
    return NULL;
}

static const char *
restart(char **words)
{
    (void)words;
    powerDown("reboot", RB_AUTOBOOT);
    return NULL;
}

static const char *
say(char **words)
{
    guestSay("say %s", words[1] ? words[1] : "");
    return NULL;
}

static const struct {
    const char *word;
    const char *(*run)(char **words);
} commands[] = {
    {"arp", guestArp}, {"disks", guestDisks}, {"edu", guestEdu},   {"mem", guestMemory}, {"net", guestNet},
    {"off", off},      {"pci", guestPci},     {"reboot", restart}, {"say", say},
};

static void
runLine(char *line)
{
    char *words[WORDS_MAX + 1] = {NULL};
    const char *wrong = "no such command";
    int count = 0;

    for (char *word = strtok(line, " \r\n"); word && count < WORDS_MAX; word = strtok(NULL, " \r\n")) {
        words[count++] = word;
    }
    if (count == 0) {
        return;
    }
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(commands[i].word, words[0]) == 0) {
            wrong = commands[i].run(words);
            break;
        }
    }
    if (wrong) {
        guestSay("error %s: %s", words[0], wrong);
    } else {
        guestSay("ok %s", words[0]);
    }
}

static void
readInput(int fd)
{
    struct input_event event;

    if (read(fd, &event, sizeof(event)) == (ssize_t)sizeof(event) && event.type == EV_KEY && event.code == KEY_POWER &&
        event.value == 1) {
        powerDown("power button", RB_POWER_OFF);
    }
}

/* Input devices there are; a power button is one. */
static int
openInputs(struct pollfd *polls)
{
    int count = 0;

    for (int i = 0; i < INPUTS_MAX; i++) {
        char path[32];

        snprintf(path, sizeof(path), "/dev/input/event%d", i);
        polls[count].fd = open(path, O_RDONLY | O_CLOEXEC);
        polls[count].events = POLLIN;
        count += polls[count].fd >= 0;
    }
    return count;
}

static void
serve(void)
{
    struct pollfd polls[INPUTS_MAX + 1] = {{.fd = serial, .events = POLLIN}};
    int count = 1 + openInputs(polls + 1);

    for (;;) {
        char line[512];
        ssize_t length;

        if (poll(polls, (nfds_t)count, -1) < 0) {
            continue;
        }
        for (int i = 1; i < count; i++) {
            if (polls[i].revents & POLLIN) {
                readInput(polls[i].fd);
            }
        }
        if (polls[0].revents) {
            length = read(serial, line, sizeof(line) - 1);
            line[length > 0 ? length : 0] = '\0';
            runLine(line);
        }
    }
}

int
main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/');
    const char *name = slash ? slash + 1 : argv[0];
    char uptime[32], kernel[128];

    (void)argc;
    if (strcmp(name, "init") == 0) {
        mount("dev", "/dev", "devtmpfs", 0, NULL);
        mount("proc", "/proc", "proc", 0, NULL);
        mount("sys", "/sys", "sysfs", 0, NULL);
    }
    openSerial();
    if (strcmp(name, "poweroff") == 0) {
        powerDown("poweroff asked for", RB_POWER_OFF);
    } else if (strcmp(name, "reboot") == 0) {
        powerDown("reboot asked for", RB_AUTOBOOT);
    }
    reboot(RB_DISABLE_CAD);
    loadModules();
    guestSay("linux guest: up after %s s, %s", strtok(guestRead(uptime, sizeof(uptime), "/proc/uptime"), " "),
             guestRead(kernel, sizeof(kernel), "/proc/sys/kernel/osrelease"));
    serve();
}
