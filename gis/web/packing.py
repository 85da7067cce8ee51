"""Answers in as few bytes as a slow line deserves: text is packed, and files of ours only once."""

from __future__ import annotations

import gzip
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, current_app, request
from werkzeug.security import safe_join

WORTH_BYTES = 1000
PACKED = ("text/html", "text/css", "text/javascript", "application/javascript", "application/json", "image/svg+xml")
PACKED_TOO = ("application/geo+json", "application/problem+json")


def install(app: Flask) -> None:
    """Pack what a browser accepts packed."""
    app.after_request(_pack)


def _pack(response: Response) -> Response:
    if response.mimetype not in PACKED + PACKED_TOO or "Content-Encoding" in response.headers:
        return response
    response.vary.add("Accept-Encoding")
    if response.status_code != 200 or request.method == "HEAD" or request.accept_encodings["gzip"] <= 0:
        return response
    content = _packed_file() if response.direct_passthrough else _packed(response)
    if content is not None:
        response.direct_passthrough = False
        response.set_data(content)
        response.headers["Content-Encoding"] = "gzip"
        # the packed bytes are another representation of the same thing
        etag, _ = response.get_etag()
        if etag:
            response.set_etag(etag, weak=True)
    return response


def _packed(response: Response) -> bytes | None:
    """Pack an answer that is whole; a stream is left as it is."""
    if response.is_streamed:
        return None
    content = response.get_data()
    return gzip.compress(content, 5) if len(content) >= WORTH_BYTES else None


def _packed_file() -> bytes | None:
    """Pack a file of ours from the disk, or take it from what was packed before."""
    folder, name = current_app.static_folder, (request.view_args or {}).get("filename")
    path = safe_join(folder or "", name or "")
    if request.endpoint not in {"static", "shell.file"} or path is None:
        return None
    told = Path(path).stat()
    return _file(Path(path), told.st_mtime_ns, told.st_size)


@lru_cache(maxsize=256)
def _file(path: Path, _changed_ns: int, _size: int) -> bytes:
    return gzip.compress(path.read_bytes(), 9)
