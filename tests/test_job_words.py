"""What the worker does is told in words."""

from __future__ import annotations

import pytest

from gis import jobs, language
from gis.settings import Settings


@pytest.mark.parametrize("locale", language.LOCALES)
def test_every_job_has_its_sentence(locale: str) -> None:
    names = {job.name.partition(":")[0] for job in jobs.registry(Settings())}
    assert {name for name in names if f"admin.job.{name}" not in language.catalogue(locale, "admin.job.")} == set()
