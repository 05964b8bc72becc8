/* Linked into every program of the engine: what it prints reaches a pipe at once, and nothing is lost in a crash.
   Without it stdout is kept back in blocks of 4 KiB, which are hours of a training. The engine's own sources stay
   untouched. */
#include <stdio.h>

__attribute__((constructor)) static void unbuffer(void) {
    setvbuf(stdout, NULL, _IONBF, 0);
}
