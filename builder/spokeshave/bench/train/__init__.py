"""Profile collection: benchmarks and upstream's tests run on an instrumented build."""
