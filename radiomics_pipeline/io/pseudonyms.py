"""Labels that stand for patients and their studies: keyed hashes, which nobody undoes without the project's salt.

    C-7f3a9c21   a case, of a patient's number and a study's UID
    P-03b1d2aa   a patient

The salt is a file of its own, readable by its owner only. It is what makes labels of two runs agree, and what must not
leave with the tables: whoever has it, and a list of patients' numbers, can tell who is who.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from radiomics_pipeline.errors import StudyError

SALT_FILE = ".radiomics_salt"
LENGTH = 8
"""Hexadecimal digits of a label, where nothing collides."""
_BYTES = 32


def case_label(patient_id: str, study_uid: str, salt: bytes, *, length: int = LENGTH) -> str:
    """What a study of a patient is called."""
    return _label("C", salt, length, patient_id, study_uid)


def patient_label(patient_id: str, salt: bytes, *, length: int = LENGTH) -> str:
    """What a patient is called."""
    return _label("P", salt, length, patient_id)


def distinct_labels(kind: str, keys: Iterable[tuple[str, ...]], salt: bytes) -> dict[tuple[str, ...], str]:
    """A label for each key, none twice: those that would be alike, and only they, are longer.

    kind : "C" or "P"
    """
    wanted = list(dict.fromkeys(keys))
    labels = {key: _label(kind, salt, LENGTH, *key) for key in wanted}
    length = LENGTH
    while len(set(labels.values())) < len(labels):
        length += 4
        given = Counter(labels.values())
        labels = {k: _label(kind, salt, length, *k) if given[v] > 1 else v for k, v in labels.items()}
    return labels


def _label(kind: str, salt: bytes, length: int, *parts: str) -> str:
    # lengths before the parts: ("ab", "c") and ("a", "bc") differ
    message = b"".join(len(data).to_bytes(4, "big") + data for data in (part.encode() for part in (kind, *parts)))
    return f"{kind}-{hmac.new(salt, message, hashlib.sha256).hexdigest()[:length]}"


def new_salt(path: Path) -> bytes:
    """A salt, drawn at random, in a file that only its owner can read; StudyError where the file exists already."""
    salt = secrets.token_bytes(_BYTES)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii", newline="\n") as file:
            file.write(salt.hex() + "\n")
    except FileExistsError:
        raise StudyError(
            f"{path.name}: there is a salt already; labels made with it would no longer be found"
        ) from None
    except OSError as e:
        raise StudyError(f"{path.name}: cannot be written ({e.strerror})") from None
    return salt


def load_salt(path: Path) -> bytes:
    """The salt of a file; StudyError where there is none, where it is none, and where others may read it."""
    try:
        text = path.read_text("ascii").strip()
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise StudyError(f"{path.name}: no such file; it is made with the first index of a study") from None
    except (OSError, UnicodeDecodeError):
        raise StudyError(f"{path.name}: cannot be read as a salt") from None
    if not re.fullmatch(rf"[0-9a-f]{{{2 * _BYTES}}}", text):
        raise StudyError(f"{path.name}: not a salt, which is one line of {2 * _BYTES} hexadecimal digits")
    if os.name == "posix" and mode & 0o077:
        raise StudyError(f"{path.name}: others may read this salt; make it yours alone with chmod 600")
    return bytes.fromhex(text)
