# What glibc_pins.h does for C, for Fortran: gfortran has no -include, but the assembler reads several files.
	.symver exp,exp@GLIBC_2.2.5
	.symver exp2,exp2@GLIBC_2.2.5
	.symver log,log@GLIBC_2.2.5
	.symver log2,log2@GLIBC_2.2.5
	.symver pow,pow@GLIBC_2.2.5
