# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Boot sector of the PCI guest: reads the program behind it by INT 13h and
# starts it in protected mode, interrupts off.

.include "layout.inc"

.code16
.globl start
start:
    cli
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw $start, %sp
    cld
    sti
    movw $packet, %si
    movb $0x42, %ah
    int $0x13                   # DL is still the boot drive
    jc fail
    movw $0x2401, %ax
    int $0x15                   # A20 on
    cli
    lgdtl descriptors
    movl %cr0, %eax
    orb $1, %al
    movl %eax, %cr0
    ljmp $CODE, $protected

fail:                           # interrupts are on: Xen takes another halt for a shutdown
    hlt
    jmp fail

.code32
protected:
    movw $DATA, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movl $start, %esp
    movl $PROGRAM, %eax
    jmp *%eax

.balign 8
packet:
    .byte 16, 0
    .word PROGRAM_SECTORS
    .word 0, PROGRAM >> 4
    .quad 1

.balign 8
table:
    .quad 0
    .quad 0x00cf9a000000ffff
    .quad 0x00cf92000000ffff
descriptors:
    .word descriptors - table - 1
    .long table

    .org 510
    .word 0xaa55
