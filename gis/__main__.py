"""`python -m gis` is the same as the command `gis`."""

from gis.cli import main

main()
