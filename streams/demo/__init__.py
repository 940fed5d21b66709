"""The whole service on one machine, with a simulated Mulhouse: what `ent demo` runs."""
