# SPDX-License-Identifier: LGPL-2.1-or-later
"""The files of an image: kernel, initramfs, descriptor; the same bytes from the same inputs."""

import hashlib
import lzma
import stat
import struct
import tempfile
from pathlib import Path

from stubimage import ImageError
from stubimage.packages import run

# Window of a ramdisk, as a power of two: most of it is a squashfs, which a larger one would not make smaller.
WINDOW_LOG = 17


def cpio(tree):
    """The tree as a newc archive: sorted, numbered in that order, owned by root, without times."""
    parts = []

    def add(name, mode, number, links, data, device):
        raw = name.encode() + b"\0"
        fields = (number, mode, 0, 0, links, 0, len(data), 0, 0, *device, len(raw), 0)
        header = b"070701" + b"".join(b"%08X" % f for f in fields)
        parts.append(header + raw + b"\0" * (-(len(header) + len(raw)) % 4))
        parts.append(data + b"\0" * (-len(data) % 4))

    for number, (name, entry) in enumerate(sorted(tree.entries.items()), start=1):
        add(name, entry.mode, number, 2 if stat.S_ISDIR(entry.mode) else 1, entry.data, entry.device)
    add("TRAILER!!!", 0, 0, 1, b"", (0, 0))
    return b"".join(parts)


def squashfs(tree, compression):
    """The tree as a squashfs image: mksquashfs sorts, and is told to forget times and owners."""
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory) / "root"
        for name, entry in sorted(tree.entries.items()):
            path = root / name
            if stat.S_ISDIR(entry.mode):
                path.mkdir(parents=True)
            elif stat.S_ISLNK(entry.mode):
                path.symlink_to(entry.data.decode())
            else:
                path.write_bytes(entry.data)
            if not stat.S_ISLNK(entry.mode):
                path.chmod(stat.S_IMODE(entry.mode))
        root.chmod(0o755)
        image = Path(directory) / "image"
        run("mksquashfs", root, image, "-quiet", "-no-progress", "-noappend", "-all-root", "-no-xattrs", "-no-exports",
            "-all-time", "0", "-mkfs-time", "0", "-processors", "1", *compression)
        return image.read_bytes()


def zstd(data, level):
    """data in one frame the kernel can unpack: its decompressor has at most 128 MiB for the window."""
    # The kernel keeps a window of the frame's size beside packed and unpacked data while it boots, when memory is shortest.
    return run("zstd", f"-{level}", f"--zstd=wlog={WINDOW_LOG}", "--no-progress", "-q", "-c", "--single-thread", input=data)


def unpackKernel(image):
    """The ELF file in a bzImage (boot protocol 2.08: payload_offset, payload_length)."""
    if image[0x202:0x206] != b"HdrS":
        raise ImageError("the kernel is no bzImage")
    setup = (image[0x1f1] or 4) + 1
    offset, length = struct.unpack_from("<II", image, 0x248)
    payload = image[setup * 512 + offset:][:length]
    if payload.startswith(b"\xfd7zXZ"):
        data = lzma.LZMADecompressor().decompress(payload)
    elif payload.startswith(b"\x02\x21\x4c\x18"):
        # The last four bytes are the size, which lz4 would take for a block.
        data = run("lz4", "-dc", "-q", input=payload[:-4])
    elif payload.startswith(b"\x28\xb5\x2f\xfd"):
        data = run("zstd", "-dc", "-q", input=payload[:-4])
    else:
        raise ImageError(f"the kernel is compressed in an unknown way ({payload[:4].hex()})")
    if not data.startswith(b"\x7fELF"):
        raise ImageError("the kernel's payload is no ELF file")
    return data


def sha256(data):
    return hashlib.sha256(data).hexdigest()
