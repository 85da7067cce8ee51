"""Whistles 街乡吹哨·部门报到: a subdistrict calls departments to its side, and nothing ends before it agrees."""
