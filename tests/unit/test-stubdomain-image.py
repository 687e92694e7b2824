#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Unit tests of image/stubimage: archives, packages, modules, kernels; nothing is downloaded."""

import lzma
import struct
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "image")]
sys.dont_write_bytecode = True

from stubimage import ImageError, absent, contents, output  # noqa: E402
from stubimage.packages import run  # noqa: E402


class Directory(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.base = Path(directory.name)

    def write(self, path, data=b""):
        file = self.base / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        return file


class TreeTest(unittest.TestCase):
    def tree(self, names):
        tree = contents.Tree()
        for name in names:
            tree.file(name, name.encode() * 3)
        tree.character("dev/console", 5, 1)
        tree.link("sbin/poweroff", "/init")
        return tree

    def test_parents_come_along(self):
        tree = contents.Tree()
        tree.file("a/b/c", b"")
        self.assertEqual(sorted(tree.entries), ["a", "a/b", "a/b/c"])

    def test_order_of_making_does_not_matter(self):
        names = ["init", "usr/a", "usr/b", "lib/x"]
        self.assertEqual(output.cpio(self.tree(names)), output.cpio(self.tree(reversed(names))))

    def test_archive_is_a_chain_of_headers(self):
        data = output.cpio(self.tree(["init", "usr/abc"]))
        found, position = {}, 0
        while position < len(data):
            self.assertEqual(data[position:position + 6], b"070701")
            fields = [int(data[position + 6 + i * 8:position + 14 + i * 8], 16) for i in range(13)]
            name = data[position + 110:position + 110 + fields[11] - 1].decode()
            start = (position + 110 + fields[11] + 3) & ~3
            found[name] = (fields, data[start:start + fields[6]])
            position = (start + fields[6] + 3) & ~3
        self.assertEqual(list(found)[-1], "TRAILER!!!")
        self.assertEqual(found["usr/abc"][1], b"usr/abc" * 3)
        self.assertEqual(found["sbin/poweroff"][1], b"/init")
        self.assertEqual(found["dev/console"][0][9:11], [5, 1])
        for fields, _ in found.values():
            self.assertEqual((fields[2], fields[3], fields[5]), (0, 0, 0), "root's, without a time")


class PackagesTest(Directory):
    def test_links_are_followed_across_packages(self):
        self.write("one/usr/lib/x86_64-linux-gnu/liba.so.1.2", b"a")
        (self.base / "two/lib/x86_64-linux-gnu").mkdir(parents=True)
        (self.base / "two/lib/x86_64-linux-gnu/liba.so.1").symlink_to("../../usr/lib/x86_64-linux-gnu/liba.so.1.2")
        packages = contents.Packages([self.base / "one", self.base / "two"])
        self.assertEqual(packages.library("liba.so.1").read_bytes(), b"a")
        with self.assertRaises(ImageError):
            packages.library("libb.so.1")

    def test_link_to_itself(self):
        (self.base / "one").mkdir()
        (self.base / "one/x").symlink_to("x")
        with self.assertRaises(ImageError):
            contents.Packages([self.base / "one"]).find("x")


class ModulesTest(Directory):
    def setUp(self):
        super().setUp()
        base = "linux/lib/modules/6.1.0-test"
        self.write(f"{base}/kernel/a/top.ko", b"\0license=GPL\0depends=mid-dle,base\0name=top\0")
        self.write(f"{base}/kernel/b/mid-dle.ko.xz", lzma.compress(b"\0depends=base,inside\0"))
        self.write(f"{base}/kernel/base.ko", b"\0depends=\0")
        self.write(f"{base}/modules.builtin", b"kernel/c/inside.ko\n")
        self.modules = contents.Modules(self.base / "linux")

    def test_dependencies_first_and_once(self):
        self.assertEqual(self.modules.release, "6.1.0-test")
        self.assertEqual(self.modules.order("top"), ["base", "mid_dle", "top"])
        self.assertEqual(self.modules.order("top", ("base",)), ["mid_dle", "top"])

    def test_built_in(self):
        self.assertEqual(self.modules.order("inside"), [])

    def test_missing(self):
        with self.assertRaises(ImageError):
            self.modules.order("nothing")


class KernelTest(unittest.TestCase):
    def image(self, payload):
        head = bytearray(1024)
        head[0x1f1] = 1
        head[0x202:0x206] = b"HdrS"
        struct.pack_into("<II", head, 0x248, 0, len(payload))
        return bytes(head) + payload + b"after"

    def test_payload(self):
        elf = b"\x7fELF" + b"kernel" * 1000
        self.assertEqual(output.unpackKernel(self.image(lzma.compress(elf) + b"size")), elf)

    def test_refused(self):
        for image in (bytes(2048), self.image(b"garbage"), self.image(lzma.compress(b"no ELF"))):
            with self.assertRaises(ImageError):
                output.unpackKernel(image)


class StandInTest(Directory):
    def test_symbols_and_versions(self):
        self.write("lib.c", b"void one(void); void two(void); void one(void) {} void two(void) {}")
        self.write("lib.map", b"V_1 { global: one; local: *; }; V_2 { global: two; } V_1;")
        self.write("main.c", b"void one(void); void two(void);"
                             b"int main(int c, char **v) { if (c > 1) one(); if (c > 2) two(); return 7; }")
        run("gcc", "-shared", "-fPIC", "-Wl,-soname,libx.so.1", "-Wl,--version-script=lib.map", "-o", "libx.so.1",
            "lib.c", cwd=self.base)
        run("gcc", "-o", "main", "main.c", "libx.so.1", "-Wl,-rpath,$ORIGIN", "-Wl,-z,now", cwd=self.base)
        wanted = absent.wantedSymbols(self.base / "main", "libx.so.1")
        self.assertEqual(wanted, {"V_1": ["one"], "V_2": ["two"]})

        (self.base / "libx.so.1").write_bytes(absent.standIn(self.base / "main", "libx.so.1", "libx"))
        with self.assertRaisesRegex(ImageError, "status 7"):
            run(self.base / "main")
        with self.assertRaisesRegex(ImageError, "status 1: .*no libx"):
            run(self.base / "main", "call")


if __name__ == "__main__":
    unittest.main()
