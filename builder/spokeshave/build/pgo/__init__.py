"""Profile-guided optimization: PGO profiles and the plans that collect or use them."""
