#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What cannot be mapped is refused when it is defined, with the element and the reason in the message, and leaves nothing behind."""

import functools
import sys

import libvirt
from driver_fixture import embedded, equal, quiet, refusal, runTap, startEvents

NAMESPACE = "xmlns:stubdom='http://libvirt.org/schemas/domain/stubdom/1.0'"
DISK = "<disk type='file' device='disk'>{0}<source file='/srv/a.img'/><target dev='hda' bus='ide'/>{1}</disk>"
NIC = "<interface type='bridge'><mac address='00:16:3e:00:00:01'/><source bridge='br0'/>{0}</interface>"

HOSTDEV = ("<hostdev mode='subsystem' type='pci' managed='yes'>{0}<source><address domain='0' bus='{2}' slot='0' function='0'/>"
           '</source>{1}</hostdev>')
GUEST = "<address type='pci' domain='0' bus='{0}' slot='{1}' function='{2}'/>"
VF = ("<interface type='hostdev'><mac address='00:16:3e:00:00:01'/><source><address type='pci' domain='0' bus='1' slot='0' "
      "function='0'/></source>{0}</interface>")

EFI = ("<domain type='xen'><name>refused</name><memory unit='MiB'>64</memory><os firmware='efi'><type arch='x86_64'>hvm</type>"
       '</os></domain>')

UNSUPPORTED = libvirt.VIR_ERR_CONFIG_UNSUPPORTED


def domain(devices='', top='', os='', features='', own='', vcpu='<vcpu>1</vcpu>', osType='hvm'):
    return (f"<domain type='xen' {NAMESPACE}><name>refused</name><memory unit='MiB'>64</memory>{vcpu}"
            f"<os><type arch='x86_64'>{osType}</type>{os}</os><features>{features}</features>{top}"
            f"<devices>{devices}</devices>{own}</domain>")


def vnc(attributes, listens=''):
    return domain(f"<graphics type='vnc' {attributes}>{listens}</graphics>")


def own(text):
    return domain(own=f'<stubdom:stubdomain>{text}</stubdom:stubdomain>')


# name: (XML, words of the message in order, error code if not UNSUPPORTED)
REFUSALS = {
    'graphics spice': (domain("<graphics type='spice'/>"), ["graphics 'spice'", 'not in dom0', "type='vnc'"]),
    'graphics sdl': (domain("<graphics type='sdl'/>"), ["graphics 'sdl'", 'not in dom0', "type='vnc'"]),
    'graphics egl-headless': (domain("<graphics type='vnc'/><graphics type='egl-headless'/>"), ["graphics 'egl-headless'", 'one display']),
    'two graphics': (domain("<graphics type='vnc'/><graphics type='vnc'/>"), ["graphics 'vnc'", 'one display']),
    'graphics spice beside vnc': (domain("<graphics type='spice'/><graphics type='vnc'/>"), ["graphics 'spice'", 'not in dom0']),
    'graphics low port': (vnc("port='5899'"), ["graphics port '5899'", '5900 to 65535']),
    'graphics high port': (vnc("port='65536'"), ["graphics port '65536'", '5900 to 65535']),
    'graphics no port': (vnc("autoport='no'"), ["graphics port '0'", "autoport='yes'"]),
    'graphics name': (vnc("listen='localhost'"), ["graphics listen 'localhost'", 'several addresses']),
    'graphics no listen': (vnc('', "<listen type='none'/>"), ["graphics listen 'none'", "type='socket'"]),
    'graphics many listens': (vnc('', "<listen type='address'/>" * 5), ["graphics 'vnc'", 'one to 4']),
    'graphics address after socket': (vnc('', "<listen type='socket'/><listen type='address' address='::1'/>"),
                                      ["graphics listen '::1'", 'before its sockets']),
    'graphics relative socket': (vnc("socket='guest.sock'"), ["graphics socket 'guest.sock'", 'absolute path']),
    'graphics long socket': (vnc(f"socket='/{'a' * 107}'"), ['graphics socket', 'less than 108']),
    'graphics socket with comma': (vnc("socket='/a,b'"), ["graphics socket '/a,b'", 'without a comma']),
    'graphics websocket of a socket': (vnc("websocket='-1' socket='/a'"), ["graphics websocket '-1'", 'no address']),
    'graphics websocket': (vnc("websocket='70000'"), ["graphics websocket '70000'", '65535']),
    'graphics websocket at the port': (vnc("port='5905' websocket='5905'"), ["graphics websocket '5905'", 'of its own']),
    'graphics password': (vnc("passwd='123456789'"), ['graphics passwd', '9 characters', 'first 8']),
    'graphics keymap': (vnc("keymap='de'"), ["graphics keymap 'de'", 'need none', "'en-us'"]),
    'graphics connected': (vnc("passwd='a' connected='disconnect'"), ["connected='keep'"]),
    'graphics power': (vnc("powerControl='yes'"), ["'powerControl'", "'devices/graphics'", 'cannot end a guest']),
    'graphics audio': (domain("<graphics type='vnc'><audio id='1'/></graphics><audio id='1' type='none'/>"),
                       ["'devices/graphics/audio'", "host's audio"]),
    'sound model': (domain("<sound model='ich9'/>"), ["sound 'ich9'", 'ac97 and ich6']),
    'sound codec': (domain("<sound model='ich6'><codec type='micro'/></sound>"), ["'devices/sound/codec'"]),
    'two sounds': (domain("<sound model='ac97'/><sound model='sb16'/>"), ["sound 'sb16'", 'one card']),
    'hostdev vfio': (domain(HOSTDEV.format("<driver name='vfio'/>", '', 3)), ["hostdev '0000:03:00.0'", "'vfio'", "'xen'"]),
    'hostdev usb': (domain("<hostdev mode='subsystem' type='usb'><source><vendor id='0x1'/><product id='0x2'/></source>"
                           "</hostdev>"), ["hostdev 'usb'", 'PCI device of a USB controller']),
    'hostdev scsi': (domain("<hostdev mode='subsystem' type='scsi'><source><adapter name='scsi_host0'/><address bus='0' "
                            "target='0' unit='0'/></source></hostdev>"), ["hostdev 'scsi'", "<disk type='block'>"]),
    'hostdev mdev': (domain("<hostdev mode='subsystem' type='mdev' model='vfio-pci'><source><address "
                            "uuid='5e1f2c34-9d3a-4c61-8a35-000000000001'/></source></hostdev>"),
                     ["hostdev 'mdev'", 'no mediated devices']),
    'hostdev rom': (domain(HOSTDEV.format('', "<rom file='/a'/>", 3)), ["'devices/hostdev/rom'", 'option ROMs']),
    'hostdev boot': (domain(HOSTDEV.format('', "<boot order='1'/>", 3)), ["'devices/hostdev/boot'", 'option ROMs']),
    'hostdev filtering': (domain("<hostdev mode='subsystem' type='pci'><source writeFiltering='no'><address domain='0' "
                                 "bus='3' slot='0' function='0'/></source></hostdev>"),
                          ["'writeFiltering'", "'devices/hostdev/source'", "'permissive'"]),
    'hostdev twice': (domain(HOSTDEV.format('', '', 3) * 2), ["hostdev '0000:03:00.0'", 'twice']),
    'hostdevs in one slot': (domain(''.join(HOSTDEV.format('', GUEST.format(0, 5, 0), bus) for bus in (3, 4))),
                             ["hostdev '0000:04:00.0'", 'slot 0x05']),
    'hostdev on another bus': (domain(HOSTDEV.format('', GUEST.format(1, 5, 0), 3)), ["hostdev '0000:03:00.0'", 'one PCI bus']),
    'hostdev at a function': (domain(HOSTDEV.format('', GUEST.format(0, 5, 1), 3)), ["hostdev '0000:03:00.0'", 'must be 0']),
    'hostdev without passthrough': (domain(HOSTDEV.format('', '', 3), features="<xen><passthrough state='off'/></xen>"),
                                    ["feature 'passthrough'", 'it is off']),
    'own hostdev address': (own("<stubdom:hostdev address='eth0'/>"), ["'address'", "'eth0'", '0000:03:00.0'],
                            libvirt.VIR_ERR_XML_ERROR),
    'own hostdev twice': (own("<stubdom:hostdev address='0000:03:00.0'/><stubdom:hostdev address='0:3:0.0'/>"),
                          ['twice', '0000:03:00.0'], libvirt.VIR_ERR_XML_ERROR),
    'own hostdev reset': (own("<stubdom:hostdev address='0000:03:00.0' reset='never'/>"), ["'reset'", "'never'", "'optional'"],
                          libvirt.VIR_ERR_XML_ERROR),
    'own hostdev attribute': (own("<stubdom:hostdev address='0000:03:00.0' msi='no'/>"), ["'msi'"]),
    'filesystem': (domain("<filesystem type='mount'><source dir='/a'/><target dir='b'/></filesystem>"),
                   ["'devices/filesystem'", 'no shared directories']),
    'rng': (domain("<rng model='virtio'><backend model='random'>/dev/random</backend></rng>"),
            ["'devices/rng'", 'no such device']),
    'watchdog': (domain("<watchdog model='i6300esb' action='reset'/>"), ["'devices/watchdog'", 'no such device']),
    'channel': (domain("<channel type='pty'><target type='xen' name='a'/></channel>"), ["'devices/channel'", 'no such device']),
    'virtio tablet': (domain("<input type='tablet' bus='virtio'/>"), ["input 'tablet'", "'virtio'", "'usb'"]),
    'usb controller model': (domain("<controller type='usb' model='qemu-xhci'/>"), ["controller 'usb'", "'qemu-xhci'", 'piix3-uhci']),
    'second usb controller': (domain("<controller type='usb' index='0'/><controller type='usb' index='1'/>"),
                              ["controller 'usb'", 'one USB controller']),
    'tablet without usb': (domain("<controller type='usb' model='none'/><input type='tablet' bus='usb'/>"),
                           ['USB bus is disabled']),
    'tablet on xhci': (domain("<controller type='usb' model='nec-xhci'/><input type='tablet' bus='usb'/>"),
                       ["controller 'usb'", "'nec-xhci'", 'no input devices']),
    'ide controller model': (domain("<controller type='ide' model='piix4'/>"), ["controller 'ide'", 'piix3']),
    'xenbus grants': (domain("<controller type='xenbus' maxGrantFrames='100000'/>"), ["controller 'xenbus'", '4096 grant']),
    'controller': (domain("<controller type='virtio-serial' index='0'/>"), ["controller 'virtio-serial'", 'ide (piix3), scsi']),
    'memballoon': (domain("<memballoon model='virtio'/>"), ["memballoon 'virtio'", 'Xen has its own']),
    'video qxl': (domain("<video><model type='qxl'/></video>"), ["video 'qxl'", 'vga, cirrus and none']),
    'video memory': (domain("<video><model type='vga' vram='4096'/></video>"), ["video 'vga'", '16384 KiB']),
    'disk qcow2': (domain(DISK.format("<driver type='qcow2'/>", '')), ["disk 'hda'", "'qcow2'", 'only raw']),
    'disk driver tap': (domain(DISK.format("<driver name='tap' type='raw'/>", '')), ["disk 'hda'", "'tap'", 'phy and file']),
    'disk driver qemu': (domain(DISK.format("<driver name='qemu' type='qcow2'/>", '')), ["disk 'hda'", "'qcow2'", 'only raw']),
    'disk cache': (domain(DISK.format("<driver name='phy' cache='writeback'/>", '')),
                   ["'cache'", "'devices/disk/driver'", "dom0's kernel"]),
    'disk shareable': (domain(DISK.format('', '<shareable/>')), ["disk 'hda'", 'shareable and writable']),
    'disk serial': (domain(DISK.format('', '<serial>A1</serial>')), ["'devices/disk/serial'"]),
    'boot order on xvde': (domain("<disk type='file'><source file='/a'/><target dev='xvde' bus='xen'/><boot order='1'/></disk>"),
                           ["boot order '1'", "cannot boot from 'xvde'"]),
    'boot order of netfront': (domain(NIC.format("<model type='netfront'/><boot order='1'/>")), ["boot order '1'", 'interface']),
    'boot order against places': (domain(DISK.format('', "<boot order='2'/>") + "<disk type='file'><source file='/b'/><target "
                                         "dev='hdb' bus='ide'/><boot order='1'/></disk>"),
                                  ["boot order '1'", "'hda' would come before 'hdb'"]),
    'boot order past a disk': (domain(DISK.format('', '') + "<disk type='file'><source file='/b'/><target dev='sda' bus='scsi'/>"
                                      "<boot order='1'/></disk>"), ["boot order '1'", "'hda' would come before 'sda'"]),
    'boot order of kinds': (domain(DISK.format('', "<boot order='1'/>") + NIC.format("<boot order='2'/>") + "<disk type='file'>"
                                   "<source file='/b'/><target dev='hdb' bus='ide'/><boot order='3'/></disk>"),
                            ["boot order '3'", "'hdb'", 'another of its kind']),
    'disk iotune': (domain(DISK.format('', '<iotune><total_bytes_sec>1000</total_bytes_sec></iotune>')),
                    ["'devices/disk/iotune'", 'no limits']),
    'disk network': (domain("<disk type='network'><source protocol='nbd' name='a'><host name='h'/></source>"
                            "<target dev='hda' bus='ide'/></disk>"), ["disk 'hda'", "'network'", 'file, block and volume']),
    'disk read-only on ide': (domain(DISK.format('', '<readonly/>')), ["disk 'hda'", 'read-only', "'scsi'"]),
    'disk read-only on xen': (domain("<disk type='file'><source file='/a'/><target dev='xvdd' bus='xen'/><readonly/></disk>"),
                              ["disk 'xvdd'", 'read-only', 'xvde']),
    'disk transient': (domain(DISK.format('', '<transient/>')), ["disk 'hda'", 'transient']),
    'disk with comma': (domain("<disk type='file'><source file='/a,b'/><target dev='hda' bus='ide'/></disk>"),
                        ["disk 'hda'", "'/a,b'", 'comma']),
    'disk eighth scsi': (domain("<disk type='file'><source file='/a'/><target dev='sdh' bus='scsi'/></disk>"),
                         ["disk 'sdh'", 'sda to sdg']),
    'disk place twice': (domain(DISK.format('', '') + "<disk type='file'><source file='/b'/><target dev='xvda' bus='xen'/></disk>"),
                         ["disk 'xvda'", "place of 'hda'"]),
    'disks': (domain(''.join(f"<disk type='file'><source file='/{i}'/><target dev='xvd{name}' bus='xen'/></disk>"
                             for i, name in enumerate([*'abcdefghijklmnopqrstuvwxyz', 'aa']))), ["disk 'xvdaa'", '26 disks']),
    'disk bus': (domain("<disk type='file'><source file='/a'/><target dev='vda' bus='virtio'/></disk>"),
                 ["disk 'vda'", "not 'virtio'"]),
    'disk bus and name': (domain("<disk type='file'><source file='/a'/><target dev='hda' bus='scsi'/></disk>"),
                          ["disk 'hda'", "'scsi'", "begins with 'sd'"]),
    'disk fifth ide': (domain("<disk type='file'><source file='/a'/><target dev='hde' bus='ide'/></disk>"),
                       ["disk 'hde'", 'hda to hdd']),
    'floppy': (domain("<disk type='file' device='floppy'><source file='/a'/><target dev='fda' bus='fdc'/></disk>"),
               ["disk 'fda'", 'floppy']),
    'disk without source': (domain("<disk type='file'><target dev='hda' bus='ide'/></disk>"),
                            ["disk 'hda'", 'no source']),
    'cdrom on scsi': (domain("<disk type='file' device='cdrom'><source file='/a'/><target dev='sda' bus='scsi'/></disk>"),
                      ["disk 'sda'", "'ide' only"]),
    'interface user': (domain("<interface type='user'><mac address='00:16:3e:00:00:01'/></interface>"),
                       ["'00:16:3e:00:00:01'", "'user'", 'bridge, network, ethernet and hostdev']),
    'interface direct': (domain("<interface type='direct'><mac address='00:16:3e:00:00:01'/><source dev='eth0'/></interface>"),
                         ["'00:16:3e:00:00:01'", "'direct'", 'bridge, network, ethernet and hostdev']),
    'interface hostdev model': (domain(VF.format("<model type='e1000'/>")), ["'0000:01:00.0'", '<model>']),
    'interface hostdev bandwidth': (domain(VF.format("<bandwidth><outbound average='1'/></bandwidth>")),
                                    ["'0000:01:00.0'", '<bandwidth>']),
    'interface ethernet': (domain("<interface type='ethernet'><mac address='00:16:3e:00:00:01'/></interface>"),
                           ["'00:16:3e:00:00:01'", "'ethernet'", '<script>']),
    'interface network script': (domain("<interface type='network'><mac address='00:16:3e:00:00:01'/><source network='a'/>"
                                        "<script path='/b'/></interface>"), ["'00:16:3e:00:00:01'", 'bridge and ethernet']),
    'interfaces': (domain(''.join(f"<interface type='bridge'><mac address='00:16:3e:00:00:0{i}'/><source bridge='b'/>"
                                  "<model type='e1000'/></interface>" for i in range(1, 10))),
                   ["'00:16:3e:00:00:09'", '8 emulated']),
    'interface model': (domain(NIC.format("<model type='virtio'/>")), ["'00:16:3e:00:00:01'", "'virtio'", 'netfront']),
    'interface mtu': (domain(NIC.format("<mtu size='9000'/>")), ["'devices/interface/mtu'"]),
    'interface inbound': (domain(NIC.format("<bandwidth><inbound average='1'/></bandwidth>")),
                          ["'00:16:3e:00:00:01'", 'what it receives']),
    'interface filter': (domain(NIC.format("<filterref filter='clean-traffic'/>")), ["'devices/interface/filterref'"]),
    'serial udp': (domain("<serial type='udp'><source mode='connect' host='h' service='1'/></serial>"),
                   ["serial '0'", "'udp'", 'null, pty']),
    'serial telnet': (domain("<serial type='tcp'><source mode='bind' host='h' service='1'/><protocol type='telnet'/></serial>"),
                      ["serial '0'", 'the protocol raw']),
    'serial port name': (domain("<serial type='tcp'><source mode='connect' host='h' service='telnet'/><protocol type='raw'/>"
                                "</serial>"), ["serial '0'", "'tcp'", "port's number"]),
    'serial relative path': (domain("<serial type='file'><source path='log'/></serial>"),
                             ["serial '0'", "'file'", 'absolute path']),
    'serial socket with comma': (domain("<serial type='unix'><source mode='bind' path='/a,server'/></serial>"),
                                 ["serial '0'", "'unix'", 'absolute path']),
    'serial long socket': (domain(f"<serial type='unix'><source mode='bind' path='/{'a' * 107}'/></serial>"),
                           ["serial '0'", "'unix'", 'absolute path']),
    'serial fifth': (domain("<serial type='pty'/>" * 5), ["serial '4'", '4 ports']),
    'serial gap': (domain("<serial type='pty'><target port='1'/></serial>"), ["serial '1'", 'without a gap']),
    'serial append': (domain("<serial type='file'><source path='/a' append='on'/></serial>"),
                      ["'append'", "'devices/serial/source'"]),
    'emulator': (domain('<emulator>/usr/bin/qemu</emulator>'), ["emulator '/usr/bin/qemu'", 'xen-stubdom-dm']),
    'kernel': (domain(os='<kernel>/boot/vmlinuz</kernel>'), ["'os/kernel'", 'cannot read files of the host']),
    'boot floppy': (domain(os="<boot dev='fd'/>"), ["boot dev 'fd'", 'no floppy']),
    'boot menu': (domain(os="<bootmenu enable='yes'/>"), ["'os/bootmenu'", 'no boot menu']),
    'loader': (domain(os="<loader readonly='yes' type='pflash'>/usr/share/OVMF.fd</loader>"), ["loader", 'only hvmloader']),
    'clock timezone': (domain(top="<clock offset='timezone' timezone='Europe/Prague'/>"), ["clock offset 'timezone'", 'utc, localtime']),
    'clock far': (domain(top="<clock offset='variable' adjustment='99999999999'/>"), ["adjustment '99999999999'", '32 bits']),
    'timer': (domain(top="<clock offset='utc'><timer name='pit' tickpolicy='delay'/></clock>"), ["timer 'pit'", 'hpet']),
    'timer rtc': (domain(top="<clock offset='utc'><timer name='rtc' present='yes'/></clock>"), ["timer 'rtc'", 'hpet']),
    'cpu model': (domain(top="<cpu mode='custom' match='exact'><model>kvm64</model></cpu>"), ["cpu mode 'custom'", "host's CPU"]),
    'cpu host-model': (domain(top="<cpu mode='host-model'/>"), ["host-model", 'host-passthrough']),
    'cpu topology': (domain(vcpu='<vcpu>2</vcpu>', top="<cpu mode='host-passthrough'><topology sockets='1' cores='2' "
                            "threads='1'/></cpu>"), ["'cpu/topology'", 'libxl decides']),
    'too many vcpus': (domain(vcpu='<vcpu>129</vcpu>'), ["vcpu '129'", 'up to 128']),
    'shares': (domain(top='<cputune><shares>70000</shares></cputune>'), ["shares '70000'", '65535']),
    'emulatorsched': (domain(top="<cputune><emulatorsched scheduler='fifo' priority='1'/></cputune>"), ["'cputune/emulatorsched'"]),
    'memory backing': (domain(top='<memoryBacking><hugepages/></memoryBacking>'), ["'memoryBacking'"]),
    'numatune': (domain(top="<numatune><memory mode='strict' nodeset='0'/></numatune>"), ["'numatune'"]),
    'feature': (domain(features='<vmcoreinfo/>'), ["'features/vmcoreinfo'"]),
    'hyperv spinlocks': (domain(features="<hyperv><spinlocks state='on' retries='8191'/></hyperv>"),
                         ["hyperv feature 'spinlocks'", 'tlbflush and ipi']),
    'hyperv passthrough': (domain(features="<hyperv mode='passthrough'/>"), ["hyperv mode 'passthrough'", 'custom']),
    'kvm': (domain(features="<kvm><hidden state='on'/></kvm>"), ["'features/kvm'"]),
    'xen feature': (domain(features="<xen><e820_host state='on'/></xen>"), ["'features/xen/e820_host'"]),
    'pmu': (domain(features="<pmu state='on'/>"), ["'features/pmu'"]),
    'cpu feature': (domain(top="<cpu mode='host-passthrough'><feature policy='require' name='sgx1'/></cpu>"),
                    ["cpu feature 'sgx1'", 'does not know']),
    'cpu number': (domain(top="<cpu mode='host-passthrough'><feature policy='require' name='family'/></cpu>"),
                   ["cpu feature 'family'", 'does not know']),
    'cpu nested': (domain(top="<cpu mode='host-passthrough'><feature policy='require' name='vmx'/></cpu>"),
                   ["cpu feature 'vmx'", 'run guests']),
    'cpu not migratable': (domain(top="<cpu mode='host-passthrough' migratable='off'/>"), ["cpu migratable 'off'"]),
    'cpu check': (domain(top="<cpu mode='host-passthrough' check='full'/>"), ["cpu check 'full'", 'does not tell']),
    'cpu maximum': (domain(top="<cpu mode='maximum'/>"), ["cpu mode 'maximum'", 'host-passthrough']),
    'cpu cache': (domain(top="<cpu mode='host-passthrough'><cache mode='passthrough'/></cpu>"), ["'cpu/cache'"]),
    'firmware': (EFI, ["firmware 'efi'", 'UEFI is not implemented']),
    'nvram': (domain(os='<nvram>/a</nvram>'), ["'os/nvram'", 'UEFI']),
    'bios': (domain(os="<bios useserial='yes'/>"), ["'os/bios'", 'no such switch']),
    'smbios': (domain(os="<smbios mode='host'/>"), ["'os/smbios'", 'hvmloader']),
    'sysinfo': (domain(top="<sysinfo type='smbios'><bios><entry name='vendor'>a</entry></bios></sysinfo>"),
                ["'sysinfo'", 'hvmloader']),
    'initrd': (domain(os='<initrd>/boot/initrd</initrd>'), ["'os/initrd'", 'cannot read files of the host']),
    'resource': (domain(top='<resource><partition>/a</partition></resource>'), ["'resource'", 'control group']),
    'maxMemory': (domain(top="<maxMemory slots='1' unit='MiB'>128</maxMemory>"), ['memory']),
    'small memory': (domain().replace("'MiB'>64<", "'MiB'>16<"), ["memory '16384'", '32768 KiB']),
    'video memory of the guest': (domain("<video><model type='vga' vram='65536'/></video>"), ["memory '65536'", 'video card']),
    'iothreads': (domain(top='<iothreads>1</iothreads>'), ["'iothreads'", 'one thread']),
    'pm': (domain(top="<pm><suspend-to-mem enabled='yes'/></pm>"), ["'pm'", 'no such switch']),
    'perf': (domain(top="<perf><event name='cmt' enabled='yes'/></perf>"), ["'perf'", 'no such counters']),
    'quota': (domain(top='<cputune><quota>10000</quota></cputune>'), ["'cputune/quota'"]),
    'memtune': (domain(top="<memtune><hard_limit unit='KiB'>1</hard_limit></memtune>"), ["'memtune'"]),
    'blkiotune': (domain(top='<blkiotune><weight>800</weight></blkiotune>'), ["'blkiotune'", 'control group']),
    'hub': (domain("<hub type='usb'/>"), ["'devices/hub'"]),
    'parallel': (domain("<parallel type='null'/>"), ["'devices/parallel'", 'no parallel ports']),
    'panic': (domain("<panic model='isa'/>"), ["'devices/panic'", 'on_crash']),
    'vsock': (domain("<vsock model='virtio'><cid auto='yes'/></vsock>"), ["'devices/vsock'"]),
    'tpm': (domain("<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>"), ["'devices/tpm'"]),
    'redirdev': (domain("<redirdev bus='usb' type='spicevmc'/>"), ["'devices/redirdev'", 'not implemented']),
    'shmem': (domain("<shmem name='a'><model type='ivshmem-plain'/></shmem>"), ["'devices/shmem'"]),
    'disk encryption': (domain("<disk type='file'><source file='/a'><encryption format='luks'><secret type='passphrase' "
                               "uuid='0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f'/></encryption></source><target dev='hda' bus='ide'/>"
                               "</disk>"), ["'devices/disk/source/encryption'"]),
    'disk wwn': (domain(DISK.format('', '<wwn>5000c50015ea71aa</wwn>')), ["'devices/disk/wwn'", 'no names of disks']),
    'disk geometry': (domain(DISK.format('', "<geometry cyls='16383' heads='16' secs='63'/>")), ["'devices/disk/geometry'"]),
    'disk block size': (domain(DISK.format('', "<blockio logical_block_size='4096'/>")), ["'devices/disk/blockio'"]),
    'disk io': (domain(DISK.format("<driver name='phy' type='raw' io='native'/>", '')), ["'io'", "'devices/disk/driver'"]),
    'disk backing file': (domain(DISK.format('', "<backingStore type='file'><format type='raw'/><source file='/b'/>"
                                             "</backingStore>")), ["'devices/disk/backingStore"]),
    'disk startup policy': (domain("<disk type='file' device='cdrom'><source file='/a' startupPolicy='optional'/><target "
                                   "dev='hdc' bus='ide'/></disk>"), ["'startupPolicy'", "'devices/disk/source'"]),
    'disk of a directory': (domain("<disk type='dir'><source dir='/a'/><target dev='hda' bus='ide'/></disk>"),
                            ["disk 'hda'", "'dir'", 'file, block and volume']),
    'disk lun': (domain("<disk type='block' device='lun'><source dev='/a'/><target dev='sda' bus='scsi'/></disk>"),
                 ["disk 'sda'", "'lun'"]),
    'backend domain': (domain(DISK.format('', "<backenddomain name='storage'/>")), ["'devices/disk/backenddomain'"]),
    'interface ip': (domain(NIC.format("<ip address='192.0.2.1' family='ipv4' prefix='24'/>")), ["'devices/interface/ip'"]),
    'interface port': (domain(NIC.format("<port isolated='yes'/>")), ["'devices/interface/port'"]),
    'interface peak': (domain(NIC.format("<bandwidth><outbound average='100' peak='200'/></bandwidth>")),
                       ["'peak'", 'the average']),
    'interface openvswitch': (domain(NIC.format("<virtualport type='openvswitch'/>")), ["'devices/interface/virtualport'"]),
    'interface vlan': (domain(NIC.format("<vlan><tag id='42'/></vlan>")), ["'devices/interface/vlan'"]),
    'interface address': (domain(NIC.format("<address type='pci' domain='0' bus='0' slot='3' function='0'/>")),
                          ["'00:16:3e:00:00:01'", '<address>', 'libxl chooses']),
    'serial pci': (domain("<serial type='pty'><target type='pci-serial' port='0'/></serial>"), ["serial '0'", 'isa-serial']),
    'serial log': (domain("<serial type='pty'><log file='/a'/></serial>"), ["'devices/serial/log'"]),
    'console of xen': (domain("<serial type='pty'/><console type='pty'><target type='xen'/></console>"), ["console"]),
    'two videos': (domain("<video><model type='vga'/></video><video><model type='cirrus'/></video>"), ["video"]),
    'seclabel': (domain(top="<seclabel type='static' model='flask'><label>a</label></seclabel>"), ["'seclabel'", 'security modules']),
    'paravirtual guest': (domain(osType='xen'), ['xen'], libvirt.VIR_ERR_INVALID_ARG),
    'stubdomain element': (own('<stubdom:kernel/>'), ['<stubdom:kernel>']),
    'stubdomain attribute': (own("<stubdom:image name='linux' kernel='/a'/>"), ['<stubdom:image>', "'kernel'"]),
    'stubdomain twice': (own("<stubdom:image name='a'/><stubdom:image name='b'/>"), ['twice'], libvirt.VIR_ERR_XML_ERROR),
    'stubdomain image': (own("<stubdom:image name='../a'/>"), ['absolute path'], libvirt.VIR_ERR_XML_ERROR),
    'stubdomain memory': (own("<stubdom:memory unit='MiB'>8</stubdom:memory>"), ['<stubdom:memory>', '16384']),
    'stubdomain timeout': (own("<stubdom:timeout start='0'/>"), ["'start'", '3600 seconds']),
    'stubdomain negative timeout': (own("<stubdom:timeout command='-1'/>"), ["'command'", '3600 seconds']),
    'stubdomain limit': (own("<stubdom:limit log='5' unit='GiB'/>"), ["'log'", '<stubdom:limit>']),
    'other element': (domain(own='<stubdom:devicemodel/>'), ['<stubdom:devicemodel>']),
}


def check(connection, xml, words, code=UNSUPPORTED):
    for call in (connection.defineXML, lambda text: connection.domainXMLToNative('libxl-json', text)):
        try:
            error = refusal(call, xml)
        finally:
            left = connection.listAllDomains()
            for one in left:
                one.undefine()
        text = error.get_error_message()
        place = 0
        for word in words:
            if text.find(word, place) < 0:
                raise AssertionError(f'{word!r} is not in {text!r}, after the words before it')
            place = text.find(word, place) + len(word)
        equal((error.get_error_code(), left), (code, []))

def main():
    quiet()
    startEvents()
    with embedded() as connection:
        return runTap([(name, functools.partial(check, connection, *row)) for name, row in REFUSALS.items()])


if __name__ == '__main__':
    sys.exit(main())
