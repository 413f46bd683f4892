#pragma once
// Instruction sets by function: the loader picks the widest that the machine has, so that one binary runs on any x86-64.
// Sanitizers cannot run the resolver of such functions, so those builds get the plain version.

#if defined(__x86_64__) && !defined(BECKON_SANITIZED)
#define BECKON_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define BECKON_CLONES
#endif
#define BECKON_INLINE [[gnu::always_inline]] inline
