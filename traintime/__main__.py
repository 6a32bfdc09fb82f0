"""`python -m traintime`: the same as the `traintime` command."""

from traintime import main

__all__: list[str] = []

if __name__ == "__main__":
    main()
