/* Binds the libm functions that got a new symbol version after glibc 2.28 to their first one, so that
 * a build on a newer base keeps the reach of manylinux_2_28. The only difference between the versions
 * is that the old ones also honour the obsolete _LIB_VERSION error handling. */
#if defined(__linux__) && defined(__x86_64__) && !defined(__ASSEMBLER__)
__asm__(".symver exp,exp@GLIBC_2.2.5");
__asm__(".symver exp2,exp2@GLIBC_2.2.5");
__asm__(".symver log,log@GLIBC_2.2.5");
__asm__(".symver log2,log2@GLIBC_2.2.5");
__asm__(".symver pow,pow@GLIBC_2.2.5");
#endif
