"""What stands in for a user's credentials: no test may reach an account of the user's, and no log may hold them."""

from __future__ import annotations

from typing import Final

CREDENTIALS: Final = {
    "AWS_ACCESS_KEY_ID": "PLANTED0ACCESS0KEY",
    "AWS_SECRET_ACCESS_KEY": "planted/Secret+key/of/the/tests/0123456789",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_REGION": "eu-west-1",
}
SESSION_TOKEN: Final = "planted+session/token=="
"""For a run that is given one: most are not."""

PLANTED: Final = (
    CREDENTIALS["AWS_ACCESS_KEY_ID"],
    CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    SESSION_TOKEN,
)
