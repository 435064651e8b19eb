"""Is this a weight file that can be read? `python -m app.weightfiles.checking PATH` answers as JSON."""
