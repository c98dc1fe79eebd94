"""What a BLAS and its LAPACK are asked for most, through numpy: an ASV suite, so that the runner takes it."""
