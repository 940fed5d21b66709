"""Other people's files, told as lines of a directory's folder."""
