"""Closed lists of words for scanners, reconstructions and radiopharmaceuticals: headers spell them in many ways.

A text that these lists do not know becomes "unlisted-" and four digits of its hash: equal texts stay equal, so that
scanners can be told apart, and nothing that somebody typed into the field is written.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

TRACERS: tuple[tuple[str, str], ...] = (
    ("FDG", r"\bf\W?dg\b|fluoro-?(?:d-)?deoxy-?(?:d-)?glucose|fluorodesoxyglu[ck]ose|fludeoxyglucose|\b18f?fdg\b"),
    ("PSMA-1007", r"psma\W*1007"),
    ("PSMA-11", r"psma\W*11\b|psma-?hbed|gozetotide"),
    ("PSMA-617", r"psma\W*617|vipivotide"),
    ("PSMA-I&T", r"psma\W*i\W?(?:&|and|n)\W?t\b|zadavotide"),
    ("rhPSMA-7.3", r"rhpsma|flotufolastat"),
    ("DCFPyL", r"dcfpyl|piflufolastat"),
    ("PSMA", r"\bpsma\b"),
    ("DOTATATE", r"dota-?\(?tyr3?\)?-?octreotate|dota-?tate|dotatate|oxodotreotide"),
    ("DOTATOC", r"dota-?toc|edotreotide"),
    ("DOTANOC", r"dota-?noc"),
    ("pentetreotide", r"pentetreotide|octreoscan"),
    ("FET", r"\bfet\b|fluoro?-?ethyl-?(?:l-)?tyrosine?"),
    ("FDOPA", r"\bf-?dopa\b|fluoro-?(?:l-)?dopa|dihydroxyphenylalanine"),
    ("methionine", r"methionine?\b"),
    ("FLT", r"\bflt\b|fluoro-?(?:l-)?thymidine?|\bthymidine f"),
    ("NaF", r"\bnaf\b|sodium fluoride|natriumfluorid"),
    ("FAPI", r"\bfapi\b|fapi-?\d+|fibroblast activation"),
    ("florbetapir", r"florbetapir|amyvid|\bav-?45\b"),
    ("florbetaben", r"florbetaben|neuraceq"),
    ("flutemetamol", r"flutemetamol|vizamyl"),
    ("PiB", r"\bpib\b|pittsburgh compound"),
    ("NAV4694", r"nav-?4694|flutafuranol"),
    ("flortaucipir", r"flortaucipir|tauvid|\bt807\b|\bav-?1451\b"),
    ("FES", r"\bfes\b|fluoro-?estradiol"),
    ("FMISO", r"f-?miso|fluoro-?misonidazole"),
    ("fluciclovine", r"fluciclovine|axumin|\bfacbc\b"),
    ("choline", r"choline?\b"),
    ("acetate", r"\bacetate?\b"),
    ("FP-CIT", r"fp-?cit|ioflupane|datscan"),
    ("MIBG", r"\bm?ibg\b|iobenguane|iodobenzylguanidine|adreview"),
    ("MDP", r"\bmdp\b|medronate|methylene diphosphonate"),
    ("HDP", r"\bh?mdp\b|\bhdp\b|oxidronate|hydroxy\w* ?diphosphonate"),
    ("DPD", r"\bdpd\b|butedronate"),
    ("PYP", r"pyrophosphate|\bpyp\b"),
    ("sestamibi", r"sestamibi|\bmibi\b|cardiolite"),
    ("tetrofosmin", r"tetrofosmin|myoview"),
    ("thallium", r"thallous|thallium chloride|tl-?201 chloride"),
    ("rubidium", r"rubidium|rb-?82\b|cardiogen|ruby-?fill"),
    ("ammonia", r"ammonia|\bnh3\b"),
    ("water", r"oxygen-water|\bh2o\b|\bwater\b"),
    ("flurpiridaz", r"flurpiridaz"),
    ("MAA", r"\bmaa\b|macro-?aggregated|aggregated albumin"),
    ("pertechnetate", r"pertechnetate"),
    ("MAG3", r"\bmag-?3\b|mertiatide|mercaptoacetyl"),
    ("DMSA", r"\bdmsa\b|succimer"),
    ("microspheres", r"microspheres|sirsphere|therasphere|quiremsphere"),
    ("antibody", r"\w+mab\b|monoclonal antibody"),
    ("iodide", r"iodide"),
)
"""Radiopharmaceuticals as case_log.csv calls them, and how headers do; the first that fits."""

_MAKERS: tuple[tuple[str, str], ...] = (
    ("Siemens", r"siemens|\bcti\b|\bcps\b|\bsms\b"),
    ("GE", r"\bge\b|\bgems\b|general electric|\belgems\b|\bgehc\b"),
    ("Philips", r"philips|\badac\b|picker|marconi"),
    ("Canon", r"canon|toshiba"),
    ("United Imaging", r"united.?imaging|\buih\b|shanghai united"),
    ("Mediso", r"mediso"),
    ("Spectrum Dynamics", r"spectrum"),
    ("Hermes", r"hermes|nuclear diagnostics"),
    ("Bruker", r"bruker"),
    ("Hitachi", r"hitachi|fujifilm"),
    ("Neusoft", r"neusoft"),
    ("MinFound", r"minfound"),
    ("Shimadzu", r"shimadzu"),
    ("Digirad", r"digirad"),
    ("MiE", r"\bmie\b"),
    ("Positron", r"positron corp"),
)
_OF_MODELS = """
biograph mct flow vision quadra horizon trinion truepoint hirez duo mmr ecat exact hr art accel symbia intevo evo excel
bold encore ecam e.cam somatom definition edge sensation emotion force drive go top all up now sim perspective
confidence x.cite open pro.pulse naeotom alpha 2r edge-2r tru-point x t s as plus ct pet
discovery tandem advance st ste rx vct dst dste dmi dr mi ls iq columbia omni legend signa pet/mr pet/ct nm/ct nm
spect/ct infinia hawkeye millennium vg mg mps optima brightspeed lightspeed revolution ultra qx/i pro alcyone xeleris
starguide varicam ventri tof es
gemini tf gxl big bore ingenuity vereos digital allegro body guardian guardianbody brightview xct forte cardiomd
precedence skylight brilliance iqon spectral spectrum ict
celesteion cartesion prime aquilion aquiduo one lb genesis umi uexplorer upmr panorama anyscan trio sc nucline interview
d-spect veriton veriton-ct cario mobile neusight scintia cardio dual system series scanner classic premium light high
speed research clinical
"""
_FAMILIES = frozenset(_OF_MODELS.split())
"""Words of models' names; numbers of up to four digits with up to two letters may stand beside them."""

_METHODS: tuple[tuple[str, str], ...] = (
    ("OSEM", r"osem|\bos-?em\b|blob-os|vpfx|vphd|ordered subset|fore-?iter|3d.?ir\b|iterative|\d+i\d+s|flash.?3d"),
    ("OSCGM", r"oscgm|conjugate gradient"),
    ("BSREM", r"bsrem|q\.?clear|qcfx|qchd|penali[sz]ed"),
    ("RAMLA", r"ramla"),
    ("MLEM", r"\bml-?em\b"),
    ("MAP", r"\bmap\b"),
    ("FBP", r"\bfbp\b|filtered back|3d-?rp\b|reprojection|back.?projection|\bdift\b"),
    ("FORE", r"\bfore\b"),
    ("DL", r"deep|precise|\bai\b|\bdlr\b|\bpdl\b"),
    ("TOF", r"\btof\b|tof\+|vpfx|qcfx|blob-os-tf|ultrahd|time.of.flight|_tof|ultim"),
    (
        "PSF",
        r"\bpsf\b|psf\+|true-?x|vpfxs|vphds|sharpir|sharp.ir|qcfx|qchd|\bhd\b|ultrahd|resolution.?recovery|_psf|\bpsf",
    ),
)
"""Parts of a reconstruction, and the names that vendors give them; several may fit."""
_OF_KERNELS = """
standard soft lung bone boneplus detail edge chest ultra stnd stand head abdomen sharp smooth none all-pass allpass hann
hanning hamming butterworth butter gaussian gauss box parzen metz shepp-logan ramp weiner wiener xyz
"""
_KERNELS = frozenset(_OF_KERNELS.split())


def tracer(texts: Sequence[str]) -> str:
    """The radiopharmaceutical that a header means, by its texts; empty where none of the list fits."""
    for text in texts:
        for name, pattern in TRACERS:
            if re.search(pattern, text.replace("_", " "), re.IGNORECASE):
                return name
    return ""


def scanner(manufacturer: str, model: str) -> str:
    """Manufacturer and model, such as "Siemens Biograph 64 mCT"."""
    maker = next((name for name, p in _MAKERS if re.search(p, manufacturer, re.IGNORECASE)), _unlisted(manufacturer))
    words = re.split(r"[\s_,]+", model.strip())
    kind = " ".join(words) if all(map(_of_model, words)) else _unlisted(model)
    return " ".join(part for part in (maker, kind) if part)


def _of_model(word: str) -> bool:
    bare = re.sub(r"\(c\)$|\+$", "", word.lower())
    family = re.fullmatch(r"([a-z./-]*?)[-/]?\d{1,4}[a-z]{0,2}", bare)
    return bare in _FAMILIES or (family is not None and family[1] in {"", *_FAMILIES})


def reconstruction(method: str, iterations: int | None, subsets: int | None) -> str:
    """Method with iterations and subsets, such as "OSEM TOF PSF 3i21s"; "" for no text at all."""
    found = [name for name, pattern in _METHODS if re.search(pattern, method, re.IGNORECASE)]
    match = re.search(r"(\d{1,3})\s*i(?:t\w*)?\W{0,2}(\d{1,3})\s*s", method, re.IGNORECASE)
    if match and iterations is None:
        iterations, subsets = int(match[1]), int(match[2])
    steps = f"{iterations}i" + (f"{subsets}s" if subsets else "") if iterations else ""
    return " ".join(part for part in (*(found or [_unlisted(method)]), steps) if part)


def kernel(text: str) -> str:
    """Filter or kernel, such as "gauss 5 mm" or "B30f"; "" for no text at all."""
    bare = text.strip()
    match = re.search(r"gauss[a-z]*\W*(\d{1,2}(?:\.\d{1,3})?)", bare, re.IGNORECASE)
    if match:
        return f"gauss {float(match[1]):g} mm"
    words = [word for word in re.split(r"[\s_,;\\/:=()]+", bare) if word]
    known = all(
        word.lower() in _KERNELS
        or re.fullmatch(r"[A-Za-z]{1,2}\d{1,2}[a-z]?|\d{1,2}(?:\.\d{1,3})?|mm|cm|[A-Z]{1,2}", word)
        for word in words
    )
    return " ".join(words) if known else _unlisted(bare)


def _unlisted(text: str) -> str:
    bare = " ".join(text.split())
    return f"unlisted-{hashlib.sha256(bare.encode()).hexdigest()[:4]}" if bare else ""
