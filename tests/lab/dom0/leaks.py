# SPDX-License-Identifier: LGPL-2.1-or-later
"""The leak check: what a host looks like, and what is there that was not before.

Everything a guest can leave behind is compared: domains, processes, xenstore,
loop devices, network interfaces and files. A clean-up may still be under way
when a test ends, so differences get some time to vanish.
"""

import re

from host import Deadline, domains, processes, run, waitFor
from pathlib import Path

SETTLE = 30
DIRECTORIES = ("/run/xen-stubdom", "/run/xen", "/var/lib/xen", "/run/xen-hotplug", "/run/libvirt/stubdom",
               "/etc/libvirt/stubdom")

# libxl remembers the numbers of domains that ended, to give them to others later.
# libvirtd's driver has files that say it runs, and that it did in this boot.
REMEMBERED = ("/run/xen/domid-history", "/run/libvirt/stubdom/driver.pid", "/run/libvirt/stubdom/autostarted",
              "/etc/libvirt/stubdom/autostart")

# Directories that libxl and the hotplug scripts make for their first guest and keep, stock ones as well.
KEPT = re.compile(r"/(local|local/domain|vm|libxl|libxl/pci(/[\da-f-]+)?|local/domain/0/(backend(/\w+)?|device-model|device(/\w+)?|frontend))")
# Of others than guests: systemd, udev, our login, and libvirtd, which comes and goes as it is used.
TRANSIENT = re.compile(r"\S*(systemd-\w+|\(udev-worker\)|sshd|agetty|libvirtd)\b|\(sd-pam\)")


def _xenstore():
    found = set()
    for line in run("xenstore-ls", "-f")[1].splitlines():
        path, _, value = line.partition(" = ")
        if not path.startswith(("/tool/", "/local/domain/0/memory")) and not (value == '""' and KEPT.fullmatch(path)):
            found.add(line)
    return found


def _files():
    found = set()
    for directory in DIRECTORIES:
        found.update(str(path) for path in Path(directory).rglob("*") if str(path) not in REMEMBERED)
    return found


def look():
    """The host's state, for differences()."""
    return {
        "domain": {f"{name} ({domid})" for name, domid in domains().items()},
        "process": {f"{pid} {' '.join(words)}" for pid, words in processes().items()
                    if not TRANSIENT.match(" ".join(words))},
        "xenstore node": _xenstore(),
        "loop device": set(run("losetup", "-a")[1].splitlines()),
        "network interface": {line.split()[1] for line in run("ip", "-o", "link")[1].splitlines()},
        "file": _files(),
    }


def _compare(before, now):
    return [f"{kind} left: {thing[:300]}" for kind in before for thing in sorted(now[kind] - before[kind])]


def differences(before):
    """What there is now and was not before, one line each."""
    return _compare(before, look())


def settle(before):
    """What is still left when every clean-up had its time, one line each; and the host's state then."""
    seen = []

    def clean():
        seen.append(look())
        return not _compare(before, seen[-1])

    try:
        waitFor("clean-up", clean, SETTLE)
    except Deadline:
        pass
    return _compare(before, seen[-1]), seen[-1]


def settled(before):
    """What is still left when every clean-up had its time."""
    return settle(before)[0]
