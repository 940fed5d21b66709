"""Faust at record-batch grain: one Faust event per fetched partition batch. See the README beside this file."""

from streams.transport.app import BatchApp
from streams.transport.positions import PartitionPosition, TransportCounts
from streams.transport.settings import TransportSettings

__all__ = ["BatchApp", "PartitionPosition", "TransportCounts", "TransportSettings"]
