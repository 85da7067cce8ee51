"""Reports of the demo city as they would have come in: who tells what, where, how exactly, and at what hour."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from gis.demo import frame, names, spots, voices
from gis.demo.city import City
from gis.demo.spots import Spot, Spots
from gis.demo.voices import Topic
from gis.territory import coords

Json = dict[str, Any]

ISSUES, DAYS = 600, 30
GATHERED = 0.38


@dataclass(frozen=True)
class Channel:
    """A way reports come in: its share, datum, how exact its fixes are, how often it has words or nothing instead."""

    code: str
    zh: str
    en: str
    share: float
    datum: str
    kind: str
    accuracy_m: tuple[float, float]
    words_only: float = 0.0
    nowhere: float = 0.0


# Ratio of the stated radius to the standard deviation per axis.
SIGMAS = {"radius95": 2.448, "radius68": 1.51, "max": 3.0}
CHANNELS = (
    Channel("12345", "12345 热线", "Hotline 12345", 0.38, "WGS84", "radius95", (25.0, 60.0), 0.34, 0.035),
    Channel("app", "市民随手拍", "Citizens' app", 0.22, "WGS84", "radius68", (6.0, 30.0), 0.0, 0.01),
    Channel("wechat", "微信小程序", "WeChat mini-program", 0.18, "GCJ02", "radius68", (12.0, 55.0), 0.05, 0.015),
    Channel("grid", "网格员上报", "Grid workers", 0.16, "CGCS2000", "radius95", (3.0, 9.0)),
    Channel("video", "视频智能分析", "Video analysis", 0.06, "CGCS2000", "max", (4.0, 10.0)),
    # Nobody tells of it by chance: inspectors put it in.
    Channel("inspection", "核查发现", "Found by inspection", 0.0, "CGCS2000", "radius95", (3.0, 9.0)),
)
_TOPICS = {topic.category: topic for topic in voices.TOPICS}


class Teller:
    """Tell reports about a city, one after the other; the same dice tell the same reports."""

    def __init__(self, city: City, rng: np.random.Generator) -> None:
        self._spots = Spots(city)
        self._rng = rng
        self._names = names.Namer(rng)
        self._middles = spots.middles(city)
        weights = np.array([topic.weight for topic in voices.TOPICS])
        self._weights = weights / weights.sum()
        self._shares = np.array([channel.share for channel in CHANNELS])

    def tell(self, external_id: str, at: datetime, topic: Topic | None = None) -> Json:
        """Return one report as it would be posted."""
        rng = self._rng
        channel = CHANNELS[int(rng.choice(len(CHANNELS), p=self._shares))]
        topic, spot = self._matter(topic)
        nth = int(rng.integers(len(topic.told)))
        asks = channel.code == "12345" and _is_a_question(topic, external_id)
        place = self._place(channel, topic, spot)
        words = spot.words if place else str(rng.choice(voices.NOWHERE[topic.where]))
        return {
            "source": channel.code,
            "external_id": external_id,
            "category": {"scheme": voices.SCHEME, "version": voices.VERSION, "code": topic.category},
            "condition": topic.condition(nth) if _is_named(channel, external_id) else None,
            "work_order": _work_order("consult" if asks else topic.request) if channel.code == "12345" else None,
            "text": (voices.QUESTIONS[topic.category] if asks else topic.told[nth]).format(at=words),
            "reported_at": at.isoformat(),
            "place": place,
            "reporter": self._reporter() if channel.code in ("12345", "app", "wechat") else None,
        }

    def topic(self) -> Topic:
        """Draw what the next report is about."""
        return voices.TOPICS[int(self._rng.choice(len(voices.TOPICS), p=self._weights))]

    def _matter(self, topic: Topic | None) -> tuple[Topic, Spot]:
        """Draw a topic and a spot for it: at one of the places where things gather, or anywhere."""
        rng = self._rng
        if topic is None and rng.random() < GATHERED:
            kind, reach_m, categories = voices.GATHERINGS[int(rng.integers(len(voices.GATHERINGS)))]
            gathered = _TOPICS[str(rng.choice(categories))]
            middle = self._middles[kind] + rng.normal(0, reach_m / 2, 2)
            return gathered, self._spots.near(middle, reach_m / 3, gathered.where, rng)
        drawn = topic or self.topic()
        return drawn, self._spots.draw(drawn.where, rng)

    def _place(self, channel: Channel, topic: Topic, spot: Spot) -> Json:
        draw = self._rng.random()
        if draw < channel.nowhere:
            return {}
        if draw < channel.nowhere + channel.words_only:
            return {"text": f"{names.CITY[0]}{spot.words}"}
        if channel.code == "grid" and topic.category in ("E0113", "E0111", "E0117") and draw > 0.5:
            return {"geometry": self._drawn(spot, line=topic.category == "E0113"), "datum": channel.datum}
        if channel.code == "video" and spot.street and draw > 0.8:
            return {"street": spot.street}
        if spot.house and draw > 0.93:
            return {"building": spot.house}
        return self._fix(channel, spot)

    def _fix(self, channel: Channel, spot: Spot) -> Json:
        """Return a fix that misses the spot as its stated accuracy says."""
        accuracy_m = round(float(self._rng.uniform(*channel.accuracy_m)), 1)
        point = spot.point + self._rng.normal(0, accuracy_m / SIGMAS[channel.kind], 2)
        lon, lat = shapely.get_coordinates(frame.to_degrees(shapely.Point(point)))[0]
        said_lon, said_lat = coords.from_wgs84(lon, lat, channel.datum)
        return {
            "lon": round(float(said_lon), 6),
            "lat": round(float(said_lat), 6),
            "datum": channel.datum,
            "accuracy_m": accuracy_m,
            "accuracy_kind": channel.kind,
        }

    def _drawn(self, spot: Spot, *, line: bool) -> Json:
        """Return what a grid worker draws on the map: a stretch of broken road, or the outline of a heap."""
        turn = self._rng.uniform(0, np.pi)
        along = np.array([np.cos(turn), np.sin(turn)])
        if line:
            shape: BaseGeometry = shapely.LineString([spot.point - along * 22, spot.point, spot.point + along * 22])
        else:
            across = np.array([-along[1], along[0]])
            corners = [spot.point + a * along * 9 + b * across * 5 for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
            shape = shapely.Polygon(corners)
        return dict(shapely.geometry.mapping(frame.to_degrees(np.array([shape]))[0]))

    def _reporter(self) -> Json:
        # Numbers that begin with 100 are nobody's.
        return {"name": self._names.person(), "phone": f"100{int(self._rng.integers(10**7, 10**8))}"}


def _is_a_question(topic: Topic, external_id: str) -> bool:
    return topic.category in voices.QUESTIONS and zlib.crc32(external_id.encode()) % 3 == 0


def _work_order(request: str) -> Json:
    return {"type": request, "urgency": "general"}


def _is_named(channel: Channel, external_id: str) -> bool:
    """Say whether the condition was named when it came in: by who works with the standard always, else mostly."""
    return channel.code not in {"app", "wechat"} or zlib.crc32(external_id.encode()) % 10 < 6


def stories(city: City) -> Iterator[tuple[str, str, Json]]:
    """Yield the cases a visitor is shown: category, words, place. They stand where whose ground it is needs saying."""
    at = {name: {"lon": round(point.x, 6), "lat": round(point.y, 6)} for name, point in city.specials.items()}
    fix = {"datum": "CGCS2000", "accuracy_m": 5.0, "accuracy_kind": "radius95"}
    third = city.buildings["external_id"].iloc[0]
    yield "E0101", "楼顶违法加盖一层，整栋楼跨在两个区的边界上，两边都说对方那一半更大。", {"building": third}
    yield "E0111", "两区之间这块空地没人管，渣土越堆越高。", at["gap"] | fix
    yield "E0113", "路面破损，两个区的标牌都立在这里。", at["overlap"] | fix
    yield "E0192", "这一片被望山区围着，却归禾阳区管，垃圾桶满了三天。", at["exclave"] | fix
    yield "E0110", "老城墙边堆着垃圾，距离区界不到三米。", at["third"] | fix | {"accuracy_m": 12.0}
    yield "E0408", "手机没有定位成功，车停在路口。", {"lon": 0.0, "lat": 0.0}
    yield "E0410", "经纬度填反了，共享单车堵住便道。", {"lon": at["third"]["lat"], "lat": at["third"]["lon"]}


def month(city: City, now: datetime, count: int = ISSUES) -> Iterator[Json]:
    """Yield the cases to be shown, then the reports of the last thirty days; told again they have the same ids."""
    rng = np.random.default_rng([city.seed, 20])
    teller = Teller(city, rng)
    for number, (category, told, place) in enumerate(stories(city), start=1):
        at = now - timedelta(hours=3 * number)
        said = {"source": "grid", "text": told, "place": place, "condition": 1, "work_order": None}
        yield teller.tell(f"S{number:05d}", at, _TOPICS[category]) | said
    back = np.sort(DAYS * rng.random(count))[::-1]
    for number, days in enumerate(back.tolist(), start=1):
        topic = teller.topic() if rng.random() > GATHERED else None
        day = (now - timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0)
        at = day + timedelta(hours=_hour(topic.hours if topic else voices.ANY, rng))
        yield teller.tell(f"H{number:05d}", min(at, now - timedelta(minutes=number % 50 + 1)), topic)


def _hour(chances: tuple[int, ...], rng: np.random.Generator) -> float:
    """Draw an hour of the day by the chances of its six stretches."""
    share = np.array(chances) / sum(chances)
    return float(4 * (int(rng.choice(6, p=share)) + rng.random()))
