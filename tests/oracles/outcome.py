"""What all oracles share: why one cannot run."""


class CannotRun(Exception):
    """The oracle cannot run this artifact; the text says why and what to do."""
