"""Exactly-once delivery around Faust: what stands between the pure stages and Kafka.

`records.py` turns a record into the stage's outcome (pure); `partition.py` owns one input partition (producer,
position, transaction); `agents.py` is the Faust app that feeds it; `health.py` and `supervisor.py` keep it running.
"""
