"""Faults injected into real processes, and the proof that the figures are exact after them: `ent chaos`."""
