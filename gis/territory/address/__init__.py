"""Address text, Chinese or Latin, read into its parts. No database: what a city knows comes in as `Names`."""

from dataclasses import replace

from gis.territory.address import assemble, chinese, home, latin, normal
from gis.territory.address.keys import text_key
from gis.territory.address.names import NO_NAMES, Names
from gis.territory.address.parts import Address, Relation

__all__ = ["NO_NAMES", "Address", "Names", "Relation", "parse_address", "text_key"]


def parse_address(text: str, names: Names = NO_NAMES) -> Address:
    """Read an address text; parts that are not said are None or empty."""
    plain = normal.text(text)
    if not normal.is_chinese(plain):
        return latin.address(plain)
    place, lives = home.parted(plain)
    read = assemble.address(place, chinese.pieces(place, names))
    lived = assemble.address(lives, chinese.pieces(lives, names)) if lives else None
    if lived and home.is_meant(place):
        return replace(_filled(lived, read), text=plain, home=lived)
    return replace(read, text=plain, home=lived)


def _filled(lived: Address, read: Address) -> Address:
    """Return the home as the place, with what the rest of the text adds to it."""
    return replace(lived, relation=read.relation) if read.empty or not (read.roads or read.estates) else read
