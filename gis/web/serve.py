"""Serve with gunicorn: one process, many threads, and a stop that waits for answers but not for streams."""

import os
from collections.abc import Callable
from threading import Event
from types import FrameType
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.workers.gthread import ThreadWorker

from gis.settings import Settings

# Set when the process is asked to stop. An open event stream ends when it sees this, or it would hold up the stop.
stopping = Event()
APPLICATION = "app:create_app"
GRACEFUL_S = 8


class Worker(ThreadWorker):  # type: ignore[misc]
    """A worker that tells its streams when it is asked to stop."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Finish what was begun and leave."""
        stopping.set()
        super().handle_exit(sig, frame)

    # Ctrl-C reaches the workers too: it asks for the same quiet end.
    handle_quit = handle_exit


class QuietArbiter(Arbiter):  # type: ignore[misc]
    """Gunicorn's parent process, for which Ctrl-C and a closed terminal mean the same quiet end."""

    handle_int = Arbiter.handle_term
    handle_hup = Arbiter.handle_term


class Server(BaseApplication):  # type: ignore[misc]
    """Gunicorn with our settings; it reads no file and no command line."""

    def __init__(self, settings: Settings, ready: Callable[[], None]) -> None:
        self.settings, self.ready = settings, ready
        super().__init__()

    def load_config(self) -> None:
        """Hand over our settings."""
        for name, value in self._values().items():
            self.cfg.set(name, value)

    def load(self) -> Any:  # noqa: ANN401
        """Build the application inside the worker: its connections must not cross a fork."""
        module, name = APPLICATION.split(":")
        return getattr(__import__(module), name)(self.settings)

    def run(self) -> None:
        """Serve, and return never: the end is a SystemExit."""
        QuietArbiter(self).run()

    def _tell(self, worker: Worker) -> None:
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


def run(settings: Settings, ready: Callable[[], None]) -> None:
    """Serve until asked to stop; call `ready` once the first worker can answer."""
    Server(settings, ready).run()
