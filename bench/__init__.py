"""Measurements: the proof on real data and the figures of speed."""
