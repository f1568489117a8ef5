"""`verify`: what files say about themselves, and whether that can be believed."""

import argparse
from pathlib import Path

from core.errors import ProvenanceError
from core.prompt import Prompter
from core.provenance import IPTC, Manifest, read_manifest
from core.report import Reporter

STATES = {
    "trusted": "unchanged since it was signed, by a signer this computer trusts",
    "valid": "unchanged since it was signed, by a signer this computer does not know",
    "invalid": "CHANGED since it was signed, or its manifest is damaged",
    "missing": "carries no provenance manifest",
}
SOURCE_TYPES = {
    IPTC + "compositeWithTrainedAlgorithmicMedia":
        "recorded content composed with parts made by a trained model",
    IPTC + "trainedAlgorithmicMedia": "made by a trained model",
    IPTC + "digitalCapture": "recorded by a camera",
    IPTC + "compositeCapture": "composed of recorded parts",
    IPTC + "humanEdits": "edited by a person",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the list of files."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE",
                        help="Picture or video (.png, .jpg, .mp4, .mov, ...).")


def run(arguments: argparse.Namespace, reporter: Reporter, prompter: Prompter) -> int:
    """Reports each file; exit code 0 if all are valid, 1 if one is changed, unsigned or no file."""
    valid = [_verify(path, reporter) for path in arguments.files]
    return 0 if all(valid) else 1


def _verify(path: Path, reporter: Reporter) -> bool:
    try:
        manifest = read_manifest(path)
    except ProvenanceError as error:  # the other files are still worth a look
        reporter.event("verified", status="problem", message=str(error), file=path,
                       state="unreadable")
        return False
    reporter.event(
        "verified",
        status="ok" if manifest.is_valid else "problem",
        message=describe(path, manifest),
        file=path,
        state=manifest.state,
        digital_source_type=manifest.digital_source_type,
        software=manifest.software,
        title=manifest.title,
        signer=manifest.signer,
        actions=manifest.actions,
        problems=manifest.problems,
        manifest=manifest.raw,
    )
    return manifest.is_valid


def describe(path: Path, manifest: Manifest) -> str:
    """A few lines for people."""
    source_type = manifest.digital_source_type
    rows = {
        "says it is": SOURCE_TYPES.get(source_type, source_type),
        "made by": manifest.software,
        "title": manifest.title,
        "signed by": manifest.signer,
        "actions": ", ".join(manifest.actions),
        "problems": "; ".join(manifest.problems) if manifest.state != "missing" else "",
    }
    lines = [f"{path}: {manifest.state}, {STATES[manifest.state]}"]
    lines += [f"  {name:<11} {value}" for name, value in rows.items() if value]
    return "\n".join(lines)
