"""The command line `osis-document`."""


def main() -> None:
    """Runs the command line with the arguments of the process, and exits."""
    from .program import program  # not with the package: what is needed to parse is slow to import

    program(prog_name="osis-document")
