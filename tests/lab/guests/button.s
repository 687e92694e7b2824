# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A boot sector that does what an operating system does at the ACPI power
# button: prints a line on COM1, waits for the button, prints another, powers
# off.  Xen itself emulates the status port of the button, so that reading it
# is no round trip to the device model; the timer's interrupt, 18 times a
# second and served by the BIOS, ends each halt.
.include "serial.inc"
.include "power.inc"

# PM1a status, as Xen places it for qemu-xen; power button, write 1 to clear.
.set PM1_STATUS, 0xb000
.set POWER_BUTTON, 0x100

.code16
.globl start
start:
    serialStart
    print up
    movb $0xfe, %al
    outb %al, $PIC_MASK         # IRQ 0 only
    movw $PM1_STATUS, %dx
1:  sti
    hlt
    inw %dx, %ax
    testw $POWER_BUTTON, %ax
    jz 1b
    movw $POWER_BUTTON, %ax
    outw %ax, %dx
    print pressed
    powerOff
    haltForever
definePrint
up:
    .asciz "button guest: up\r\n"
pressed:
    .asciz "button guest: pressed\r\n"
bootSignature
