"""`python -m app`: the same as the command `bitlens`."""

from app.cli import main

raise SystemExit(main())
