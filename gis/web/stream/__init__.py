"""The live stream: what is committed appears on every screen that may see it, by itself and exactly once."""
