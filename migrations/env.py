"""Alembic's door: migrations run on the connection that gis.db hands over, in one transaction."""

from alembic import context

# PostGIS keeps these in the same schema; they are not ours to migrate.
NOT_OURS = {"spatial_ref_sys", "geometry_columns", "geography_columns"}


def is_ours(_thing: object, name: str | None, kind: str, *_: object) -> bool:
    """Leave out PostGIS's own tables, and the spatial indexes GeoAlchemy makes by itself."""
    return not (kind == "table" and name in NOT_OURS) and not (kind == "index" and str(name).startswith("idx_"))


context.configure(connection=context.config.attributes["connection"], include_object=is_ours)
with context.begin_transaction():
    context.run_migrations()
