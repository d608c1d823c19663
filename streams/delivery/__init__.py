"""Exactly-once delivery around Faust: what stands between the pure stages and Kafka.

`records.py` turns a record into the stage's outcome (pure); `enricher.py` does so in a process that can be replaced;
`partition.py` owns one input partition (producer, position, transaction); `agents.py` is the Faust app that feeds it;
`worker_process.py`, `supervisor.py` and `health.py` start it, keep it running and say how it is.
"""
