"""Alerts' life and their telling: passes over what the detector finds, steps in the database, messages to people."""
