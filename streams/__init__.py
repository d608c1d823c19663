"""Newsflow: raw news articles in, enriched events out. `line.py` declares the stages; start reading there."""
