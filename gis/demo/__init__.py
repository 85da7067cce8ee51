"""A made-up city, its people and its day. Nothing here is a real place, person or record."""
