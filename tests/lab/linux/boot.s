# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Boot sector of the Linux guest: reads the loader behind it by INT 13h, asks
# the BIOS for the memory map, and calls the loader (loader.c) in protected
# mode.  What the loader finds where is in loader.h's words: layout.inc.

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

    xorl %ebx, %ebx
    movw $E820_TABLE, %di
    movw %bx, E820_COUNT
1:  movl $0xe820, %eax
    movl $20, %ecx
    movl $0x534d4150, %edx
    int $0x15
    jc 2f
    addw $20, %di
    incw E820_COUNT
    cmpw $E820_MAX, E820_COUNT
    jae 2f
    testl %ebx, %ebx
    jnz 1b

2:  movw $0x2401, %ax
    int $0x15                   # A20 on
    cli
    lgdtl descriptors
    movl %cr0, %eax
    orb $1, %al
    movl %eax, %cr0
    ljmp $0x08, $protected

fail:
    hlt
    jmp fail

.code32
protected:
    movw $0x18, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movl $start, %esp
    movl $LOADER, %eax
    jmp *%eax

.balign 8
packet:
    .byte 16, 0
    .word LOADER_SECTORS
    .word 0, LOADER >> 4
    .quad 1

# Code for 32 and for 64 bits, and data; the last two are where Linux wants them.
.balign 8
table:
    .quad 0
    .quad 0x00cf9a000000ffff
    .quad 0x00af9a000000ffff
    .quad 0x00cf92000000ffff
descriptors:
    .word descriptors - table - 1
    .long table

    .org 510
    .word 0xaa55
