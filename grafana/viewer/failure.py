"""A query that failed, as Grafana says it: in the answer to that query, while the others go on."""


class QueryError(Exception):
    """`source` is whose fault it is in Grafana's words: `downstream` (the database or the query) or `plugin`."""

    def __init__(self, message: str, source: str = "downstream", status: int = 500) -> None:
        super().__init__(message)
        self.source = source
        self.status = status
