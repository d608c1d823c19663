"""`newsflow` with bugs planted in two stages: what a worker does with an enricher that raises, hangs or dies.

Articles whose text holds one of the markers make their stage misbehave; all others pass as ever. `NEWSFLOW_PLANT`
plants one of `tests/planted_bugs.py` in the delivery.
"""

import os
import re
import signal
from collections.abc import Callable
from typing import Any

from streams.classify import Classify
from streams.commands import main
from streams.entities import Entities

FAIL_ENTITIES = "МАРКЕР-ОШИБКИ-СУЩНОСТЕЙ"
FAIL_CLASSIFY = "МАРКЕР-ОШИБКИ-ТЕМ"
HANG = "МАРКЕР-ЗАВИСАНИЯ"
DIE = "МАРКЕР-ПАДЕНИЯ"


def _failing(enrich: Callable[[Any, Any], Any], marker: str) -> Callable[[Any, Any], Any]:
    def wrapped(self: Any, event: Any) -> Any:
        if marker in event.article.text:
            raise ZeroDivisionError(f"planted in {self.name}")
        if HANG in event.article.text:
            # For longer than any test, in C code that never gives the interpreter lock away.
            re.match(r"(a+)+$", "a" * 60 + "b")
        if DIE in event.article.text:
            os.kill(os.getpid(), signal.SIGSEGV)
        return enrich(self, event)

    return wrapped


if __name__ == "__main__":
    Entities.enrich = _failing(Entities.enrich, FAIL_ENTITIES)  # type: ignore[method-assign,assignment]  # the planted bug
    Classify.enrich = _failing(Classify.enrich, FAIL_CLASSIFY)  # type: ignore[method-assign,assignment]  # the planted bug
    # Run as a file, this folder is where Python looks first.
    import planted_bugs  # type: ignore[import-not-found]  # mypy knows it as tests.planted_bugs

    planted_bugs.install()
    main()
