/* Linked into every program of the engine: what it prints reaches a pipe at once, and nothing is lost in a crash.
   Without it stdout is kept back in blocks of 4 KiB, which are hours of a training. The engine's own sources stay
   untouched. */
#include <stdio.h>

static void unbuffer(void) {
    setvbuf(stdout, NULL, _IONBF, 0);
}

#ifdef _MSC_VER
/* Microsoft's C runtime calls every function whose address stands in this section before main. */
#pragma section(".CRT$XCU", read)
__declspec(allocate(".CRT$XCU")) void (*loragui_unbuffer)(void) = unbuffer;
#pragma comment(linker, "/include:loragui_unbuffer")
#else
__attribute__((constructor)) static void at_start(void) {
    unbuffer();
}
#endif
