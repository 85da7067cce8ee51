"""WHERE: the ground, its boundaries by edition, and what lies on it."""
