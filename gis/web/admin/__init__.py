"""The administrator's desk: one page for each section, all of them for administrators alone."""

from gis.web.admin import ground, lists, people, rules, standing, work

BLUEPRINTS = (standing.pages, ground.pages, lists.pages, people.pages, rules.pages, work.pages)

__all__ = ["BLUEPRINTS"]
