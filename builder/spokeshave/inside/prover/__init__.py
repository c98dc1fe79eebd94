"""What runs inside the clean place where a wheel is proved. Standard library only."""
