# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A boot sector that prints, for each byte on COM1, which virtual CPUs the
# emulated ACPI says there are: "cpus: NN", the first eight as two hexadecimal
# digits.  It looks where the guest's own ACPI tables look when they are told
# that CPUs have changed.
.include "serial.inc"

# The map of CPUs of QEMU's older kind of CPU hotplug, and of Xen's tables.
.set CPU_MAP, 0xaf00

.code16
.globl start
start:
    serialStart
    listen
    print up
1:  call serialGet
    movw $CPU_MAP, %dx
    inb %dx, %al
    movb %al, %ah
    shrb $4, %al
    call digit
    movb %al, map
    movb %ah, %al
    andb $15, %al
    call digit
    movb %al, map + 1
    print answer
    jmp 1b

# The hexadecimal digit of AL.
digit:
    addb $'0', %al
    cmpb $'9', %al
    jbe 1f
    addb $'a' - '0' - 10, %al
1:  ret
definePrint
defineGet
up:
    .asciz "cpus guest: up\r\n"
answer:
    .ascii "cpus: "
map:
    .asciz "00\r\n"
bootSignature
