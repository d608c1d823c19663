"""Tests of Newsflow; `make test` runs them all."""
