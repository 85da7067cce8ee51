"""Estates of the demo city: housing estates, villages in the city, compounds of one owner. Metres."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely

from gis.demo import lots, names
from gis.demo.landuse import Blocks

HOUSING = ("slab", "tower", "villa", "village")
KIND = {"slab": "housing", "tower": "housing", "villa": "housing", "village": "village", "industry": "works"}
_COMPANIES = ("禾安物业", "川宁物业", "锦程物业", "望山物业服务", "南浦城市服务", "万穗物业")


def lay(blocks: Blocks, taken: np.ndarray, seed: int) -> gpd.GeoDataFrame:
    """Return estates in metres: one per gated block or village, with aliases, property company and handover state.

    taken: public streets with their pavements, and water.
    """
    rng = np.random.default_rng([seed, 11])
    numbers = blocks.named(*names.ESTATE_WORDS)
    shapes = lots.without(blocks.shapes[numbers], taken)
    shapes = np.array([max(shapely.get_parts(s), key=lambda p: p.area) for s in shapes])
    real = shapely.area(shapes) > 1500
    numbers, shapes = numbers[real], shapes[real]
    kinds = blocks.kinds[numbers]
    namer = names.Namer(rng)
    called = [_name(str(kind), namer, rng) for kind in kinds]
    return gpd.GeoDataFrame(
        {
            "external_id": [f"ES{i:04d}" for i in range(1, len(numbers) + 1)],
            "name": [name.zh for name, _ in called],
            "name_en": [name.en for name, _ in called],
            "aliases": ["、".join(aliases) for _, aliases in called],
            "kind": [KIND.get(kind, str(kind)) for kind in kinds],
            "property_company": [_company(str(kind), rng) for kind in kinds],
            "handover": [_handover(str(kind), rng) for kind in kinds],
            "block": numbers,
        },
        geometry=list(shapes),
    )


def _name(kind: str, namer: names.Namer, rng: np.random.Generator) -> tuple[names.Name, list[str]]:
    stem = namer.estate_stem()
    words = names.ESTATE_WORDS[kind]
    zh, en = words[int(rng.integers(len(words)))]
    aliases = [stem, f"{stem}院"] if kind == "slab" else [stem] if kind in HOUSING else []
    if kind == "slab" and rng.random() < 0.3:
        aliases.append(
            f"{namer.road_stem(old=True)}厂宿舍"
        )  # what old people call it, after the works it was built for
    return names.Name(stem + zh, f"{names.latin(stem)} {en}"), aliases


def _company(kind: str, rng: np.random.Generator) -> str | None:
    chance = {"slab": 0.55, "village": 0.05, "tower": 1.0, "villa": 1.0, "office": 1.0}.get(kind, 0.5)
    return str(rng.choice(_COMPANIES)) if rng.random() < chance else None


def _handover(kind: str, rng: np.random.Generator) -> str | None:
    if kind not in HOUSING:
        return None
    return "not_handed_over" if kind == "tower" and rng.random() < 0.3 else "handed_over"
