"""The command line `osis-document`."""


def main() -> None:
    """Runs the command line with the arguments of the process, and exits."""
    from .interrupts import end_soon_after_an_interrupt
    from .program import program  # not with the package: what is needed to parse is slow to import

    end_soon_after_an_interrupt()
    program(prog_name="osis-document")
