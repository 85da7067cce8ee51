"""FACES: the only room that knows HTTP and HTML."""
