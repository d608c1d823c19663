"""The fault ledger: real workers on a real broker, killed, stopped, frozen and poisoned while work is in flight.

`python -m tests.chaos [ROW …]` runs it; `rows.py` says what each row does, `arena.py` what all of them stand on.
"""
