"""`python -m mothertongue` is the command `mothertongue`."""

from mothertongue.cli import main

if __name__ == "__main__":
    main()
