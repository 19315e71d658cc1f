"""What stands in for a user's credentials: no test may reach an account of the user's."""

from __future__ import annotations

from typing import Final

CREDENTIALS: Final = {
    "AWS_ACCESS_KEY_ID": "stand-in",
    "AWS_SECRET_ACCESS_KEY": "stand-in",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_REGION": "eu-west-1",
}
