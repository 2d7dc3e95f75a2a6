"""radiomics-pipeline: the command line.

Exit codes: 0 all cases, 3 some or all failed (listed in failures.csv) or not ranked, 2 refused before anything ran,
1 a fault of ours, 130 interrupted.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from radiomics_pipeline import __version__
from radiomics_pipeline.cli import (
    check,
    extract,
    features,
    fetch,
    filter,
    index,
    maps,
    params,
    plans,
    polar_map,
    predict,
    redundancy,
    run,
    segment,
    select,
    sr,
    suv,
    warmup,
)
from radiomics_pipeline.errors import RadiomicsError

INTERRUPTED = 130
"""Exit code after Ctrl-C, as of shells."""

app = typer.Typer(
    name="radiomics-pipeline",
    help="Radiomics for nuclear medicine: from segmented PET, SPECT and CT to ranked features.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run")(run.run)
app.command("extract")(extract.extract)
app.command("redundancy")(redundancy.redundancy)
app.command("select")(select.select)
app.command("predict")(predict.predict)
app.command("check")(check.check)
app.command("maps")(maps.maps)
app.command("filter")(filter.filter_image)
app.command("polar-map")(polar_map.polar_map)
app.command("index")(index.index)
app.command("fetch")(fetch.fetch)
app.command("sr")(sr.sr)
app.command("suv")(suv.suv)
app.command("warmup")(warmup.warmup)
app.add_typer(segment.app, name="segment")
app.add_typer(params.app, name="params")
app.add_typer(features.app, name="features")
app.add_typer(filter.app, name="filters")
app.add_typer(plans.app, name="plans")


def _version(wanted: bool) -> None:
    if wanted:
        print(f"radiomics-pipeline {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    """Radiomics for nuclear medicine: from segmented PET, SPECT and CT to ranked features."""


def main() -> None:
    """Run a command; a refusal is one message and exit code 2."""
    try:
        app()
    except RadiomicsError as e:
        print(f"error: {e}", file=sys.stderr)
        sys.exit(2)
    except OSError as e:
        print(f"error: {e.filename or ''}: {e.strerror or e}", file=sys.stderr)
        sys.exit(2)
    except (KeyboardInterrupt, SystemExit) as e:
        if isinstance(e, SystemExit) and e.code != INTERRUPTED:  # which Typer makes of an interrupt, without a word
            raise
        print("interrupted; give the same command again (extract goes on where it stopped)", file=sys.stderr)
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
