# SPDX-License-Identifier: LGPL-2.1-or-later
"""What libxl puts on the command line of a guest's device model: libxl__build_device_model_args_new() of Xen 4.17, for what the
driver can write into a libxl_domain_config. A word the driver comes to use and that is not known here is an error."""

DOMID = 7
DEFAULT_VIDEO = {'std': 16 << 10, 'cirrus': 8 << 10, 'none': 0}  # KiB, libxl__domain_build_info_setdefault()
SOUND = {'hda': ['intel-hda', 'hda-duplex'], 'ac97': ['AC97'], 'es1370': ['ES1370'], 'sb16': ['sb16']}
USB_CONTROLLER = {3: 'nec-usb-xhci,id=usb'}
# Of b_info and type.hvm: what is on the command line, or concerns libxl and Xen alone.
KNOWN = set('''max_vcpus avail_vcpus max_memkb target_memkb video_memkb device_model_version device_model_stubdomain device_model extra
    sched_params acpi apic type.hvm arch_arm arch_x86 vcpu_hard_affinity num_vcpu_hard_affinity tsc_mode localtime rtc_timeoffset
    event_channels max_grant_frames cpuid'''.split())
KNOWN_HVM = set('''pae vga vnc sdl spice boot serial_list rdm viridian viridian_enable hpet firmware acpi_firmware ms_vm_genid usb
    usbdevice_list usbversion soundhw'''.split())


def diskNumber(vdev):
    """The place of a disk, and its number in xenstore (xen-vbd-interface(7))."""
    place = ord(vdev[-1]) - ord('a')
    if vdev.startswith('hd'):
        return place, ((3, 22)[place // 2] << 8) + place % 2 * 64
    return place, ((8 if vdev.startswith('sd') else 202) << 8) + place * 16


def arguments(config):
    """The arguments for @config, a parsed JSON, as a list."""
    build, hvm = config['b_info'], config['b_info']['type.hvm']
    for found, known in ((build, KNOWN), (hvm, KNOWN_HVM)):
        assert set(found) <= known, f'not known here: {set(found) - known}'
    for display in ('sdl', 'spice'):
        assert hvm[display]['enable'] == 'False'
    disks, nics, video = config.get('disks', []), config.get('nics', []), videoMemory(build)
    ram = (build['max_memkb'] - video + 1023) // 1024
    return [*start(config['c_info']['name'], vncArgument(hvm['vnc'])), *serials(disks, hvm), *devices(build, hvm, video), *processors(build), *cards(nics),
            *build.get('extra', []), '-machine', 'xenfv,suppress-vmdesc=on', '-m', str(ram), *drives(disks)]


def videoMemory(build):
    return build.get('video_memkb', DEFAULT_VIDEO[build['type.hvm']['vga']['kind']])


def vncArgument(vnc):
    """Where the display listens: what has a colon is taken for all of it."""
    if vnc['enable'] == 'False':
        return 'none'
    assert vnc['findunused'] == 'False' and 'passwd' not in vnc
    listen = vnc.get('listen', '127.0.0.1')
    return listen if ':' in listen else f'{listen}:{vnc.get("display", 0)}'


def start(name, vnc):
    result = ['-xen-domid', str(DOMID), '-no-shutdown']
    for monitor in ('libxl-cmd', 'libxenstat-cmd'):
        socket = f'/run/xen/qmp-{monitor.removesuffix("-cmd")}-{DOMID}'
        result += ['-chardev', f'socket,id={monitor},path={socket},server=on,wait=off', '-mon', f'chardev={monitor},mode=control']
    return result + ['-nodefaults', '-no-user-config', '-name', name, '-vnc', vnc, '-display', 'none']


def serials(disks, hvm):
    result = []
    if any(disk['vdev'].startswith('sd') and not disk.get('is_cdrom') for disk in disks):
        result += ['-device', 'lsi53c895a']
    for serial in hvm.get('serial_list', []):
        result += ['-serial', serial]
    return result


def devices(build, hvm, video):
    result = []
    if hvm['vga']['kind'] != 'none':
        card = {'std': 'VGA', 'cirrus': 'cirrus-vga'}[hvm['vga']['kind']]
        result += ['-device', f'{card},vgamem_mb={(video + 1023) // 1024}']
    result += ['-boot', f'order={hvm.get("boot", "cda")}']
    if hvm.get('usb') == 'True' or 'usbdevice_list' in hvm:
        result.append('-usb')
        for device in hvm.get('usbdevice_list', []):
            result += ['-usbdevice', device]
    elif 'usbversion' in hvm:
        result += ['-device', USB_CONTROLLER[hvm['usbversion']]]
    for device in SOUND[hvm['soundhw']] if 'soundhw' in hvm else []:
        result += ['-device', device]
    return result + ([] if build['acpi'] == 'True' else ['-no-acpi'])


def processors(build):
    if build['max_vcpus'] == 1:
        return []
    return ['-smp', f'{len(build["avail_vcpus"])},maxcpus={build["max_vcpus"]}']


def cards(nics):
    result = []
    for nic in nics:
        if nic['nictype'] == 'vif_ioemu':
            number, tap = nic['devid'], f'{nic["ifname"]}-emu' if 'ifname' in nic else f'vif{DOMID}.{nic["devid"]}-emu'
            result += ['-device', f'{nic.get("model", "rtl8139")},id=nic{number},netdev=net{number},mac={nic["mac"]}', '-netdev',
                       f'type=tap,id=net{number},ifname={tap},br={nic.get("bridge", "xenbr0")},script=no,downscript=no']
    return result or ['-net', 'none']


def drives(disks):
    result = []
    for disk in disks:
        place, number = diskNumber(disk['vdev'])
        if disk.get('is_cdrom'):
            source = f',file={disk["pdev_path"]},format=raw' if disk['format'] != 'empty' else ''
            result += ['-drive', f'if=none,readonly=on,id=ide-{number}{source}', '-device',
                       f'ide-cd,id=ide-{number},drive=ide-{number},bus=ide.{place // 2},unit={place % 2}']
        elif disk['vdev'].startswith('sd'):
            readonly = 'off' if disk.get('readwrite') else 'on'
            result += ['-drive', f'file={disk["pdev_path"]},id=scsi0-hd{place},format=raw,if=none,readonly={readonly},'
                       'cache=writeback', '-device', f'scsi-hd,drive=scsi0-hd{place},scsi-id={place}']
        elif place < 4:
            assert disk.get('readwrite'), 'libxl has no read-only IDE disks'
            result += ['-drive', f'file={disk["pdev_path"]},if=ide,index={place},media=disk,format=raw,cache=writeback']
    return result
