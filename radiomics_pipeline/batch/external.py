"""A delineation by a program of others: image out, mask in, and what came back is checked."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from radiomics_pipeline.errors import CaseError, ExternalError
from radiomics_pipeline.imaging.orientation import turned
from radiomics_pipeline.io.label_file import write_image
from radiomics_pipeline.io.volumes import decode, read_file, require_same_grid, to_labels
from radiomics_pipeline.params.segmentation import Command
from radiomics_pipeline.types import Volume

MASK = "mask.nii.gz"
LINES, LENGTH = 6, 600
"""How much of the end of a program's words a message holds."""
QUOTED = re.compile(r"(['\"])(?:[A-Za-z]:|~|\.{0,2})[\\/](?:[^'\"]*[\\/])?([^'\"\\/]*)\1")
PATH = re.compile(
    r"(?<![\w.])(?:file:)?(?:[A-Za-z]:|~|\.{0,2})[\\/](?:[^\s:'\"<>|*?()\[\]]*[\\/])?([^\s\\/:'\"<>|*?()\[\]]*)"
)
"""A path in quotes, and one without: the last group is its last part."""
COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def run_command(volume: Volume, params: Command, case: str = "") -> np.ndarray:
    """The labels that a program writes for an image, whole numbers [z, y, x], at least one above 0.

    The program is started without a shell, in the current folder, with {image}, {mask} and {case} replaced in its
    arguments. {image} is a NIfTI file in double precision, in the image's unit; {mask} must lie on the same voxels,
    though its axes may run otherwise.
    Raises ExternalError where it cannot be started, fails, takes longer than `timeout_s` (it is then ended with all
    that it started), or leaves no mask, one that cannot be read, lies elsewhere, holds no labels, or is empty.
    """
    with tempfile.TemporaryDirectory(prefix="delineation-") as name:
        folder = Path(name)
        image, mask = folder / "image.nii.gz", folder / MASK
        write_image(image, volume)
        values = {"{image}": str(image), "{mask}": str(mask), "{case}": case}
        program = Path(params.command[0]).name
        said = _run([_replaced(word, values) for word in params.command], program, folder, params.timeout_s)
        return _checked(mask, volume, program, said)


def _replaced(word: str, values: dict[str, str]) -> str:
    """A word with its placeholders replaced, in one pass, so that a value is not looked into."""
    return re.sub("|".join(map(re.escape, values)), lambda found: values[found[0]], word)


def _run(command: Sequence[str], program: str, folder: Path, timeout_s: float) -> str:
    """Run a program to its end; the end of its words, without paths."""
    words = folder / "words.txt"
    with words.open("wb") as said:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except (OSError, ValueError) as e:
            reason = e.strerror if isinstance(e, OSError) else "an argument holds a zero byte"
            raise ExternalError(f"{program}: cannot be started ({reason}); is it installed, and on the path?") from None
        try:
            code = process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            _end(process)
            raise ExternalError(
                f"{program}: not done after {timeout_s:g} s, and was ended; raise timeout_s{_tail(words)}"
            ) from None
        except BaseException:  # an interrupt, or the end of the case: what was started must not live on
            _end(process)
            raise
    if code:
        how = f"ended by signal {-code}" if code < 0 else f"failed with exit code {code}"
        raise ExternalError(f"{program}: {how}{_tail(words)}")
    return _tail(words)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a program and all that it started."""
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()


def _tail(words: Path) -> str:
    """The last lines of what a program said, as the end of a message."""
    with words.open("rb") as file:
        file.seek(max(0, words.stat().st_size - 16 * LENGTH))
        text = file.read().decode("utf-8", "replace")
    lines = [" ".join(line.split()) for line in re.split(r"[\r\n]+", text) if line.strip()]
    said = "; ".join(_without_folders(COLOUR.sub("", line)) for line in lines[-LINES:])
    said = "".join(c if c.isprintable() else " " for c in said)[-LENGTH:]
    return f"; it said: {said}" if said else "; it said nothing"


def _without_folders(line: str) -> str:
    """A line in which paths are their last parts, as folders may name machines and people."""
    line = QUOTED.sub(lambda found: f"{found[1]}{found[2] or '...'}{found[1]}", line)
    return PATH.sub(lambda found: found[1] or "...", line)


def _checked(mask: Path, volume: Volume, program: str, said: str) -> np.ndarray:
    """The labels of a program's mask."""
    if not mask.is_file():
        raise ExternalError(f"{program}: wrote no mask where {{mask}} says{said}")
    try:
        found = decode(read_file(mask, MASK))
        stored = to_labels(found, MASK)
        labels, grid = turned(stored, found.grid, volume.grid.direction) or (stored, found.grid)
        require_same_grid(volume.grid, grid, "the image", MASK)
    except CaseError as e:
        raise ExternalError(f"{program}: its mask cannot be used: {e}{said}") from None
    if not labels.any():
        raise ExternalError(f"{program}: its mask is empty{said}")
    return labels
