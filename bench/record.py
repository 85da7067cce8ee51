"""The product as it is, but for the index: PostGIS answers each question, as it does while an index is being built.

python -m bench.record
"""

from __future__ import annotations

import app
from gis.territory import index

if __name__ == "__main__":
    # Workers are forks of this process and keep it.
    index.of = index.asked
    app.main()
