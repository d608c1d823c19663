"""`newsflow` with a bug planted in two stages: what a worker does with an enricher that raises.

Articles whose text holds FAIL_ENTITIES or FAIL_CLASSIFY make that stage raise; all others pass as ever.
"""

from collections.abc import Callable
from typing import Any

from streams.classify import Classify
from streams.commands import main
from streams.entities import Entities

FAIL_ENTITIES = "МАРКЕР-ОШИБКИ-СУЩНОСТЕЙ"
FAIL_CLASSIFY = "МАРКЕР-ОШИБКИ-ТЕМ"


def _failing(enrich: Callable[[Any, Any], Any], marker: str) -> Callable[[Any, Any], Any]:
    def wrapped(self: Any, event: Any) -> Any:
        if marker in event.article.text:
            raise ZeroDivisionError(f"planted in {self.name}")
        return enrich(self, event)

    return wrapped


if __name__ == "__main__":
    Entities.enrich = _failing(Entities.enrich, FAIL_ENTITIES)  # type: ignore[method-assign,assignment]  # the planted bug
    Classify.enrich = _failing(Classify.enrich, FAIL_CLASSIFY)  # type: ignore[method-assign,assignment]  # the planted bug
    main()
