"""What programs ask of scikit-learn every day, in ASV's form; its sdist carries no benchmarks."""
