"""What ends the demo early."""


class DemoError(Exception):
    """Something is not as it should be.

    Attributes:
        what: what failed.
        why: the cause, as far as it is known.
        remedy: what to do about it.
    """

    def __init__(self, what: str, *, why: str, remedy: str) -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.remedy = remedy
