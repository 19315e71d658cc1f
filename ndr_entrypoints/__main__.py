"""`python -m ndr_entrypoints` is `ndr`."""

from ndr_entrypoints.cli import main

if __name__ == "__main__":
    main(prog_name="ndr")
