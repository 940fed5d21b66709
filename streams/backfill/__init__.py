"""History from files, sent on a lane of its own so that it never delays what happens now."""
