"""Mending what was refused: the originals of dead letters, judged anew and sent on the backfill lane."""
