# SPDX-License-Identifier: LGPL-2.1-or-later
"""What differs between the Debian suites the lab can run, and what does not.

Data only.  A package added here is part of the key of the build, so the lab is
built again.
"""

from dataclasses import dataclass

EMULATOR_SUITE = "trixie"
EMULATOR_MINIMUM = (10, 1)

_COMMON_PACKAGES = (
    "linux-image-amd64", "xenstore-utils",
    "libvirt-daemon-system", "libvirt-daemon-driver-xen", "libvirt-clients",
    "libvirt-daemon-config-network", "virtinst",
    "python3", "python3-libvirt",
    "qemu-system-xen", "qemu-utils", "seabios", "ipxe-qemu",
    "systemd-sysv", "udev", "dbus", "kmod", "procps", "psmisc",
    "iproute2", "ethtool", "bridge-utils", "iputils-ping", "dnsmasq",
    "openssh-server", "socat", "tcpdump", "pciutils", "strace", "file", "less",
    "xz-utils", "zstd",
    # What programs under test are linked with: the display server, the sanitizers.
    "libvncserver1", "libjson-glib-1.0-0", "libasan8", "libubsan1",
)


@dataclass(frozen=True)
class Suite:
    """One Debian suite as dom0 of the lab."""

    name: str
    xen: str

    @property
    def packages(self):
        """The packages of dom0, without what they depend on."""
        return (*_COMMON_PACKAGES, f"xen-hypervisor-{self.xen}-amd64", f"xen-utils-{self.xen}")


SUITES = {
    suite.name: suite for suite in (
        Suite("bookworm", "4.17"),
        Suite("trixie", "4.20"),
    )
}
DEFAULT_SUITE = "bookworm"
