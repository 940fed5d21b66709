"""Schools that behave like schools: events of a simulated ENT with their ground truth, from a seed.

Nothing here knows the pipeline: the truth is kept from what is handed out, never computed by the code that it judges.
"""
