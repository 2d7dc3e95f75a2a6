"""What a member of an average is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Member:
    """One model of the average. family : shares one vote; view : what it sees; estimator : unfitted"""

    family: str
    view: str
    estimator: Any
