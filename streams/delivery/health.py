"""Readiness, liveness and metrics over Faust's own web server.

* `/ready`: 200 once the consumer group has assigned partitions to this process, else 503.
* `/live`: 200 while the event loop turns (it answers at all) and no batch takes longer than `NEWSFLOW_LIVE_TIMEOUT`.
* `/metrics`: Prometheus text.
"""

import time
from typing import TYPE_CHECKING, Any

from faust.web import Request, Response, View
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from streams import metrics

if TYPE_CHECKING:
    from streams.delivery.agents import Worker


def add_pages(worker: "Worker") -> None:
    """Add the pages to the worker's app."""
    app = worker.app

    @app.page("/ready")
    async def ready(view: View, request: Request) -> Response:  # noqa: ARG001  # Faust's signature
        assigned = sorted(f"{tp.topic}/{tp.partition}" for tp in app.consumer.assignment())
        metrics.PARTITIONS.set(len(assigned))
        is_ready = bool(assigned) and not app.rebalancing
        return view.json({"ready": is_ready, "partitions": assigned}, status=200 if is_ready else 503)

    @app.page("/live")
    async def live(view: View, request: Request) -> Response:  # noqa: ARG001  # Faust's signature
        now = time.monotonic()
        stuck: list[dict[str, Any]] = [
            {"topic": p.topic, "partition": p.partition, "seconds": round(now - p.busy_since, 1)}
            for p in worker.partitions.values()
            if p.busy_since is not None and now - p.busy_since > worker.settings.live_timeout
        ]
        return view.json({"live": not stuck, "stuck": stuck}, status=503 if stuck else 200)

    @app.page("/metrics")
    async def prometheus(view: View, request: Request) -> Response:  # noqa: ARG001  # Faust's signature
        metrics.PARTITIONS.set(len(app.consumer.assignment()))
        return view.bytes(generate_latest(), content_type=CONTENT_TYPE_LATEST.split(";")[0])
