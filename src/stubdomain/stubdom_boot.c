/*
 * stubdom-boot: /init of the initramfs
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The stubdomain's files are a squashfs image inside the initramfs: an
 * unpacked initramfs would keep every file in memory for good, this way only
 * the compressed image stays, and the pages in use. Mounts the image through a
 * loop device, makes it the root, frees what the initramfs held beside it, and
 * becomes stubdom-init. It is static and knows nothing of Xen; the root it
 * leaves behind is read-only.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define IMAGE "/root.squashfs"
#define ROOT "/root"
#define INIT "/init"
#define LOOP "/dev/loop0"

/* Loaded in this order; one that is not in the initramfs is built into the kernel. */
static const struct {
    const char *path;
    const char *parameters;
} modules[] = {
    {"/loop.ko", "max_loop=1"},
    {"/squashfs.ko", ""},
};

static void bootFail(const char *what) __attribute__((noreturn));

/* PID 1 that returns is a kernel panic, which ends the domain as crashed: what is wanted here. */
static void
bootFail(const char *what)
{
    dprintf(STDERR_FILENO, "stubdom-boot: %s: %s\n", what, strerror(errno));
    _exit(1);
}

static void
loadModules(void)
{
    for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++) {
        int fd = open(modules[i].path, O_RDONLY | O_CLOEXEC);

        if (fd < 0 && errno == ENOENT)
            continue;
        if (fd < 0 || syscall(SYS_finit_module, fd, modules[i].parameters, 0) < 0)
            bootFail(modules[i].path);
        close(fd);
        (void)unlink(modules[i].path);
    }
}

static void
attachImage(void)
{
    int image = open(IMAGE, O_RDONLY | O_CLOEXEC);
    int loop = open(LOOP, O_RDWR | O_CLOEXEC);
    struct loop_config config = {.fd = (__u32)image};

    if (image < 0)
        bootFail(IMAGE);
    if (loop < 0)
        bootFail(LOOP);
    config.info.lo_flags = LO_FLAGS_READ_ONLY;
    if (ioctl(loop, LOOP_CONFIGURE, &config) < 0)
        bootFail("cannot attach " IMAGE);
    close(loop);
    close(image);
}

int
main(void)
{
    char *const argv[] = {(char *)INIT, NULL};
    char *const environment[] = {NULL};

    if (mount("devtmpfs", "/dev", "devtmpfs", MS_NOSUID, "mode=0755") < 0 && errno != EBUSY)
        bootFail("cannot mount /dev");
    loadModules();
    attachImage();
    if (mount(LOOP, ROOT, "squashfs", MS_RDONLY | MS_NODEV | MS_NOSUID, NULL) < 0)
        bootFail("cannot mount " IMAGE);

    (void)unlink(IMAGE); /* the loop device keeps it */
    (void)unlink(INIT);
    (void)umount2("/dev", MNT_DETACH);
    if (chdir(ROOT) < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 || chdir("/") < 0)
        bootFail("cannot make the image the root");
    execve(INIT, argv, environment);
    bootFail(INIT);
}
