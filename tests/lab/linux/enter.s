# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Both ends of the loader: where the boot sector jumps to, and the way into
# the kernel, which wants 64 bits (Documentation/x86/boot.rst, "64-bit Boot
# Protocol").  The page tables are loader.c's.

.section .text.start, "ax"
.code32
.globl start
start:
    call loaderMain
1:  hlt
    jmp 1b

# void loaderEnter(page table, boot parameters, kernel's entry)
.globl loaderEnter
loaderEnter:
    movl 4(%esp), %eax
    movl 8(%esp), %esi
    movl 12(%esp), %edi
    movl %eax, %cr3
    movl %cr4, %eax
    orl $0x20, %eax             # PAE
    movl %eax, %cr4
    movl $0xc0000080, %ecx      # EFER
    rdmsr
    orl $0x100, %eax            # long mode
    wrmsr
    movl %cr0, %eax
    orl $0x80000000, %eax       # paging
    movl %eax, %cr0
    ljmp $0x10, $1f
.code64
1:  movl $0x18, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    jmp *%rdi
