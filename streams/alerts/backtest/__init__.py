"""How good the alerts are: simulated years with a known truth, any labelled series, and the alternatives beside it."""
