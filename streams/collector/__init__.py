"""The HTTP collector: platforms post events, Kafka has them before the answer says so."""
