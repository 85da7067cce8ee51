"""gis locate on a Dask cluster: each worker gets the ground once and makes parts; a lost part is made anew.

Workers need this package, the files under the same names, and no database. They may come and go while parts are made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, cast

from distributed import Client, Future, WorkerPlugin, as_completed, get_worker

from gis.cli.locating import Crew, Task
from gis.cli.parts import Parts
from gis.errors import Invalid, ShaotuError, Unavailable
from gis.territory import columns, sheets
from gis.territory.columns import Carried
from gis.territory.sheets import Recipe, Sheets, Tally

# Parts under way for each thread of the cluster: enough that none waits, few enough that the rest can go elsewhere.
PER_THREAD = 3
# How often a part is tried again whose worker died; then the part itself may be what kills.
RETRIES = 5
CONNECT_S = 20
Json = dict[str, Any]


@dataclass(frozen=True)
class Work:
    """What a worker must know of the whole answer."""

    file: Path
    recipe: Recipe
    parts: Parts


class GroundPlugin(WorkerPlugin):
    """The ground on a worker: sent once to each, those that come later too."""

    name = "shaotu-ground"

    def __init__(self, kit: Sequence[Carried]) -> None:
        self._kit = kit
        self._opened: dict[Work, Sheets] = {}

    def setup(self, worker: Any) -> None:  # noqa: ANN401 - Dask's own
        """Lay the ground down where the workers of this machine find it."""
        self.ground = columns.unpacked(self._kit, Path(worker.local_directory).parent / self.name)
        # From here on the files are the ground; a second copy in memory would be one too many.
        self._kit = ()

    def sheets(self, work: Work) -> Sheets:
        """Open the file, once."""
        if work not in self._opened:
            kind = sheets.kind_of(work.file)
            self._opened = {work: sheets.answer(work.file, kind, work.recipe, self.ground, work.parts.kind)}
        return self._opened[work]


def on(address: str, kit: Sequence[Carried], work: Work) -> Crew:
    """Make a crew of the workers of a scheduler. kit: the ground they need."""

    def hired(_asked: Sheets, _parts: Parts, tasks: Iterator[Task]) -> Iterator[tuple[Task, Tally]]:
        with _client(address) as client:
            client.register_plugin(GroundPlugin(kit))
            yield from _made(client, work, tasks)

    return hired


def _made(client: Client, work: Work, tasks: Iterator[Task]) -> Iterator[tuple[Task, Tally]]:
    """Yield the counts of each part as it is done."""
    waiting: dict[Future[Json], Task] = {}
    running = as_completed()  # type: ignore[no-untyped-call]

    def submit(some: int) -> None:
        for task in islice(tasks, some):
            future = client.submit(_make, work, task, pure=False, retries=RETRIES)
            waiting[future] = task
            running.add(future)  # type: ignore[no-untyped-call]

    submit(PER_THREAD * sum(client.nthreads().values()))  # type: ignore[no-untyped-call]
    for future in running:
        yield waiting.pop(future), _told(future.result())
        submit(1)


def _make(work: Work, task: Task) -> Json:
    """Make a part, on a worker; a refusal is an answer too, and not tried again."""
    plugin = cast(GroundPlugin, get_worker().plugins[GroundPlugin.name])
    try:
        return {"tally": work.parts.make(*task, plugin.sheets(work)).as_dict()}
    except ShaotuError as error:
        return {"refused": error.code, "params": {name: str(value) for name, value in error.params.items()}}


def _told(answer: Json) -> Tally:
    if "refused" in answer:
        raise Invalid(answer["refused"], **answer["params"])
    return sheets.of_dict(answer["tally"])


@contextmanager
def _client(address: str) -> Iterator[Client]:
    try:
        client = Client(address, timeout=CONNECT_S)  # type: ignore[no-untyped-call]
        client.wait_for_workers(1, timeout=CONNECT_S)
    except (OSError, TimeoutError, ValueError) as error:
        raise Unavailable("crew.unreachable", address=address, reason=str(error)[:200]) from error
    with client:
        yield client
