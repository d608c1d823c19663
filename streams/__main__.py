"""`python -m streams` is `newsflow`."""

from streams.commands import main

if __name__ == "__main__":
    main()
