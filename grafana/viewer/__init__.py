"""The page that draws Grafana's dashboards without a Grafana, and the part of Grafana's HTTP interface that it asks."""

from grafana.viewer.app import Clock, make_app, serve
from grafana.viewer.source import Source, published_of

__all__ = ["Clock", "Source", "make_app", "published_of", "serve"]
