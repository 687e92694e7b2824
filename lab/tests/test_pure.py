# SPDX-License-Identifier: LGPL-2.1-or-later
"""The parts of the lab that need no emulator: python3 -m unittest discover -s lab/tests -t ."""

import tempfile
import unittest
from pathlib import Path

from lab import emulatorFault, tripleFault
from lab.firmware import NAME, SHORT, WAIT, shortenBootMenu
from lab.sources import parseLines, parseStanzas, sourcesFor

_FAULT = """\
(XEN) [  131.1] d3v0 Triple fault - invoking HVM shutdown action 1
(XEN) [  131.1] *** Dumping Dom3 vcpu#0 state: ***
(XEN) [  131.1] ----[ Xen-4.17.7  x86_64  debug=n  Not tainted ]----
(XEN) [  131.1] RIP:    {rip}
"""


class EmulatorFault(unittest.TestCase):
    def testXensRegistersInAGuestAreTheEmulators(self):
        self.assertTrue(emulatorFault(_FAULT.format(rip="e008:[<ffff82d0402e1a4c>]")))

    def testAGuestsOwnTripleFaultIsNot(self):
        self.assertFalse(emulatorFault(_FAULT.format(rip="0008:[<00000000000f1234>]")))

    def testAnyTripleFaultIsOne(self):
        self.assertTrue(tripleFault(_FAULT.format(rip="0008:[<0000000000008c65>]")))
        self.assertFalse(tripleFault("(XEN) d3v0 Triple\n(XEN) RIP:    0008:[<0000000000008c65>]\n"))

    def testXensOwnDumpIsNot(self):
        self.assertFalse(emulatorFault("(XEN) RIP:    e008:[<ffff82d0402e1a4c>] panic+0x1\n"))

    def testADumpBelongsToTheFaultBeforeIt(self):
        text = _FAULT.format(rip="0008:[<00000000000f1234>]") + "(XEN) line\n" * 100
        self.assertFalse(emulatorFault(text + "(XEN) RIP:    e008:[<ffff82d0402e1a4c>]\n"))

    def testAGuestThatIsInXenIsTheEmulators(self):
        dump = "(XEN) RSP = 0x0000000000007c00  RIP = 0x{rip}\n"
        self.assertTrue(emulatorFault(dump.format(rip="ffff82d0402e1a4c")))
        self.assertFalse(emulatorFault(dump.format(rip="00000000000f1234")))


class BootMenu(unittest.TestCase):
    """What the compiler makes of romfile_loadint(NAME, WAIT), in an image whose name is at f40fa."""

    SIZE, PLACE = 0x40000, 0x340fa
    CALL = "ba {} 00 00 31 c9 b8 fa 40 0f 00 e8 e2 15 ff ff"

    def image(self, *waits, place=PLACE):
        calls = b"".join(bytes.fromhex(self.CALL.format(wait.to_bytes(2, "little").hex())) for wait in waits)
        image = bytearray(self.SIZE)
        image[0x100:0x100 + len(calls)] = calls
        image[0x200:0x204] = WAIT.to_bytes(4, "little")
        image[place:place + len(NAME)] = NAME
        return bytes(image)

    def testTheWaitAloneIsReplaced(self):
        self.assertEqual(shortenBootMenu(self.image(WAIT)), self.image(SHORT))

    def testAnImageThatIsNotAsExpectedIsNotTouched(self):
        for image in (self.image(), self.image(SHORT), self.image(WAIT, WAIT), self.image(WAIT, place=self.PLACE + 1),
                      self.image(WAIT).replace(NAME, bytes(len(NAME)))):
            self.assertIsNone(shortenBootMenu(image))


class Sources(unittest.TestCase):
    def testStanzas(self):
        found = parseStanzas("# comment\nTypes: deb deb-src\nURIs: file:/a\nSuites: bookworm bookworm-updates\n"
                             "Components: main contrib\nSigned-By: /k.gpg\n\n"
                             "Types: deb\nEnabled: no\nURIs: file:/b\nSuites: bookworm\n")
        self.assertEqual([source.line() for source in found],
                         ["deb [signed-by=/k.gpg] file:/a bookworm main contrib",
                          "deb [signed-by=/k.gpg] file:/a bookworm-updates main contrib"])

    def testLines(self):
        found = parseLines("# deb file:/x bookworm main\ndeb-src file:/a bookworm main\n"
                           "deb [trusted=yes] file:/a bookworm main # why\n")
        self.assertEqual([source.line() for source in found],
                         ["deb [trusted=yes] file:/a bookworm main"])

    def testAnotherSuiteComesFromTheSameArchives(self):
        with tempfile.TemporaryDirectory() as root:
            etc = Path(root) / "etc"
            (etc / "apt/sources.list.d").mkdir(parents=True)
            (etc / "os-release").write_text('ID=debian\nVERSION_CODENAME=bookworm\n')
            (etc / "apt/sources.list").write_text(
                "deb file:/a bookworm main\ndeb file:/s bookworm-security main\n"
                "deb file:/a bookworm-backports main\ndeb file:/other stable main\n")
            self.assertEqual(sourcesFor("trixie", backports=True, root=root),
                             "deb file:/a trixie main\ndeb file:/s trixie-security main\n"
                             "deb file:/a trixie-backports main\n")


if __name__ == "__main__":
    unittest.main()
