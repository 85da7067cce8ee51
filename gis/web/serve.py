"""Serve with gunicorn: workers with many threads, and beside them the one process that holds the live pages' lines."""

import os
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.workers.gthread import ThreadWorker
from sqlalchemy.exc import SQLAlchemyError

from gis import db
from gis.errors import ShaotuError
from gis.settings import Settings
from gis.territory import locate
from gis.web.live import HandedOver
from gis.web.stream.process import Beside

APPLICATION = "app:create_app"
GRACEFUL_S = 8
log = structlog.get_logger()


class Worker(ThreadWorker):  # type: ignore[misc]
    """A worker that lets go of a line when it was handed over."""

    # Ctrl-C reaches the workers too: it asks for the same quiet end.
    handle_quit = ThreadWorker.handle_exit

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:  # noqa: ANN401
        """Answer a fault; a line that was handed over is no fault, and not ours to write on or to shut down.

        What is raised here ends the request as one that failed: then our copy of the line is closed and no more.
        """
        if isinstance(exc, HandedOver):
            raise exc
        super().handle_error(req, client, addr, exc)


class QuietArbiter(Arbiter):  # type: ignore[misc]
    """Gunicorn's parent process, which keeps the stream going too. Ctrl-C and a closed terminal mean one quiet end."""

    handle_int = Arbiter.handle_term
    handle_hup = Arbiter.handle_term

    def manage_workers(self) -> None:
        """Look after the workers and the stream: once a second, and when a child died."""
        super().manage_workers()
        self.app.beside.keep()

    def stop(self, graceful: bool = True) -> None:
        """End the stream, whose pages come back by themselves, then the workers."""
        self.app.beside.end()
        super().stop(graceful)


class Server(BaseApplication):  # type: ignore[misc]
    """Gunicorn with our settings; it reads no file and no command line."""

    def __init__(self, settings: Settings, ready: Callable[[], None]) -> None:
        self.settings, self.ready = settings, ready
        self.beside = Beside()
        super().__init__()

    def load_config(self) -> None:
        """Hand over our settings."""
        for name, value in self._values().items():
            self.cfg.set(name, value)

    def load(self) -> Any:  # noqa: ANN401
        """Build the application inside the worker: its connections must not cross a fork."""
        module, name = APPLICATION.split(":")
        application = getattr(__import__(module), name)(self.settings)
        application.extensions["live"].holder = self.beside.door
        return application

    def run(self) -> None:
        """Serve, and return never: the end is a SystemExit."""
        QuietArbiter(self).run()

    def _tell(self, worker: Worker) -> None:
        threading.Thread(target=_warm, args=(worker.wsgi,), name="warm", daemon=True).start()
        if worker.age == 1:
            self.ready()

    def _values(self) -> dict[str, object]:
        return {
            "bind": f"{self.settings.host}:{self.settings.port}",
            # gunicorn speaks TLS when it has a certificate
            "certfile": self.settings.tls_certificate and str(self.settings.tls_certificate),
            "keyfile": self.settings.tls_key and str(self.settings.tls_key),
            "worker_class": f"{__name__}.Worker",
            "workers": self.settings.workers,
            "threads": self.settings.threads,
            "worker_connections": self.settings.threads * 4,
            "graceful_timeout": GRACEFUL_S,
            "timeout": 60,
            "keepalive": 5,
            "proc_name": "shaotu",
            "loglevel": "warning",
            "worker_tmp_dir": "/dev/shm" if os.path.isdir("/dev/shm") else None,  # noqa: PTH112, S108
            "post_worker_init": self._tell,
            # gunicorn's control socket is of no use here and would stand in a shared folder
            "control_socket_disable": True,
        }


def _warm(application: Flask) -> None:
    """Make the ground ready in a new worker while it answers already."""
    settings: Settings = application.extensions["settings"]
    try:
        with db.session(application.extensions["engine"], db.EVERYTHING) as session:
            locate.warm(session, datetime.now(ZoneInfo(settings.time_zone)).date())
    except (SQLAlchemyError, ShaotuError) as error:
        log.warning("a worker began cold", reason=str(error).strip())


def run(settings: Settings, ready: Callable[[], None]) -> None:
    """Serve until asked to stop; call `ready` once the first worker can answer."""
    Server(settings, ready).run()
