"""Newsflow's annotations measured against annotated texts: what `newsflow eval` counts.

`gold` reads the files, `entities`, `topics` and `language` run the one step that they measure and count, `answers`
holds the figures of whatever gives one answer a text. Nothing here prints, and nothing of a file goes into a model.
"""
