# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Where the boot sector jumps to, and what an interrupt does: it is
# acknowledged and leaves interrupts off, so that guest.c looks what it was
# before the next one comes.

.include "layout.inc"

.set INTERRUPTS, 16
.set FIRST, 0x20

.section .text.start, "ax"
.globl start
start:
    movl $bssStart, %edi
    movl $bssEnd, %ecx
    subl %edi, %ecx
    xorl %eax, %eax
    rep stosb
    movl $interrupt, %eax
    movl $gates + 8 * FIRST, %edi
    movl $INTERRUPTS, %ecx
1:  movw %ax, (%edi)
    movw $CODE, 2(%edi)
    movw $0x8e00, 4(%edi)       # present, interrupt gate; the code is below 64 KiB
    addl $8, %edi
    loop 1b
    lidtl descriptor
    call guestMain
2:  jmp 2b

interrupt:
    pushl %eax
    movb $0x20, %al
    outb %al, $0xa0
    outb %al, $0x20
    popl %eax
    andl $~0x200, 8(%esp)       # interrupt flag of whom it came upon
    iretl

# void guestHalt(void): until there was an interrupt. Called, and returns, with interrupts off.
.globl guestHalt
guestHalt:
    sti
    hlt
    ret

.section .data
.balign 8
descriptor:
    .word 8 * (FIRST + INTERRUPTS) - 1
    .long gates

.section .bss
.balign 8
gates:
    .space 8 * (FIRST + INTERRUPTS)
