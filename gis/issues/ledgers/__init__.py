"""Classified ledgers: what is asked of them, who keeps which, and how they leave the house on paper."""
