"""What is typed in a form stays in the browser until it is told here that the form was taken: static/js/page/keep.js.

Told by a cookie, for the page that is shown next may be any; its name is the number the browser gave to what it keeps,
so that two forms sent at once do not hide each other's answer.
"""

import re

import flask
from flask import Flask, Response, request

from gis.web import auth

NUMBER = re.compile(r"[0-9a-z]{1,40}")
# As long as the page after the answer may take to come.
TOLD_S = 600


def install(app: Flask) -> None:
    """Tell of every form that was taken."""
    app.after_request(_tell)


def _tell(response: Response) -> Response:
    if request.method != "POST" or response.status_code >= 400 or "account" not in flask.session:
        return response
    number = request.form.get("kept", "")
    if NUMBER.fullmatch(number):
        secure = auth.settings().https_only
        response.set_cookie(f"taken-{number}", "1", max_age=TOLD_S, samesite="Lax", secure=secure)
    return response
