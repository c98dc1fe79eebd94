/* What libgcov of gcc 14 calls and the libc that we compile against (2.31) does not have yet, in each object. */
#ifdef __cplusplus
extern "C" {
#endif
extern long spokeshave_strtol(const char *, char **, int) __asm__("strtol");
__attribute__((weak, visibility("hidden"), no_profile_instrument_function)) long
__isoc23_strtol(const char *text, char **end, int base)
{
    return spokeshave_strtol(text, end, base);
}
#ifdef __cplusplus
}
#endif
