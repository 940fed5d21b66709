"""School time in the service: the ministry's files, and its way into the database."""
