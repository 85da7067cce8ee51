"""Shaotu (哨图): whose ground an issue is on, who must come, and whether they did."""
