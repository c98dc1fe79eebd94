"""What programs ask of pandas every day, in ASV's form; its sdist carries no benchmarks."""
