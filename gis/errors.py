"""Every error raised on purpose: a code and its parameters. Knows no HTTP and no language."""

from collections.abc import Iterable
from typing import Self


class Word(str):
    """A parameter that is itself a code: it is said in the reader's language within the sentence."""

    __slots__ = ()


class Name(str):
    """A parameter that is the code of something with a name: programs get the code, a sentence says the name."""

    __slots__ = ("en", "zh")
    zh: str
    en: str

    @classmethod
    def of(cls, code: str, zh: str, en: str = "") -> Self:
        """Make it of a code and its names; what has none in English is called by its Chinese one."""
        name = cls(code)
        name.zh, name.en = zh, en or zh
        return name


class ShaotuError(Exception):
    """A fault the product foresees; its sentence stands in translations/ under `code`."""

    code = "error"

    def __init__(self, code: str | None = None, /, **params: object) -> None:
        self.code = code or type(self).code
        self.params = params
        super().__init__(self.code, params)

    def __str__(self) -> str:
        said = ", ".join(f"{name}={value!r}" for name, value in self.params.items())
        return f"{self.code}({said})"


class NotFound(ShaotuError):
    """What was asked for does not exist, or the asker may not know that it does."""

    code = "error.not_found"


class Invalid(ShaotuError):
    """What came in cannot be used; the sentence says what, where and how to mend it."""

    code = "error.invalid"


class Conflict(ShaotuError):
    """The change does not fit the state the thing is in now."""

    code = "error.conflict"


class Forbidden(ShaotuError):
    """Known who asks, and the answer is no."""

    code = "error.forbidden"


class Unauthenticated(ShaotuError):
    """Nobody is signed in, or the key is not one of ours."""

    code = "error.unauthenticated"


class TooMany(ShaotuError):
    """Asked too often, or too much at once; `retry_after_s` may be among the parameters."""

    code = "error.too_many"


class Unavailable(ShaotuError):
    """Something the product stands on is away for now; asking again later may work."""

    code = "error.unavailable"


class Problems(Invalid):
    """Several faults found in one go, so that they can be mended in one go."""

    code = "error.problems"

    def __init__(self, problems: Iterable[ShaotuError]) -> None:
        self.problems = tuple(problems)
        super().__init__(count=len(self.problems))

    def __str__(self) -> str:
        return "; ".join(str(problem) for problem in self.problems)
