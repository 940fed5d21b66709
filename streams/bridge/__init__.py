"""Bridges from platforms that are asked for their events to Kafka."""
