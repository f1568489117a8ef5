"""Content credentials (C2PA): every result says, under signature, that a model changed it.

The signature is made offline with the key of this installation (`core.signing_identity`). Readers
call such a file valid, and trusted if they trust the installation's root certificate.
"""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import c2pa

from core import version
from core.errors import ProvenanceError
from core.paths import atomic_path, atomic_write
from core.signing_identity import SigningIdentity, existing_root, load_identity
from core.xmp import with_source_type

IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
# A picture composed of recorded and model-made parts; IPTC's term for a face swap.
COMPOSITE = IPTC + "compositeWithTrainedAlgorithmicMedia"
MODEL_MADE = IPTC + "trainedAlgorithmicMedia"

MIME_TYPES = {
    ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp",
    ".tif": "image/tiff", ".tiff": "image/tiff", ".gif": "image/gif", ".avif": "image/avif",
    ".heic": "image/heic", ".mp4": "video/mp4", ".m4v": "video/x-m4v", ".mov": "video/quicktime",
    ".avi": "video/avi",
}
WITH_XMP = ("image/png", "image/jpeg")

# No thumbnail: it would cost 100 ms and 200 kB a picture. No network: not for signing, not for
# verifying.
SETTINGS = {
    "builder": {"thumbnail": {"enabled": False}},
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
}


@dataclass(frozen=True)
class Manifest:
    """What a file says about itself, and whether that can be believed.

    Attributes:
        state: "trusted" (valid, and signed under this installation's root or a known one),
            "valid" (unchanged since signed by somebody), "invalid" (changed, or the manifest is
            damaged), or "missing".
        digital_source_type: IPTC URI of how the content came to be; empty if not told.
        software: Program that made it, with version.
        title: Title given when it was signed.
        signer: Name in the signing certificate.
        actions: C2PA actions, such as "c2pa.created".
        problems: What speaks against the file, in words.
        raw: The whole manifest store as the C2PA reader gives it.
    """

    state: str
    digital_source_type: str = ""
    software: str = ""
    title: str = ""
    signer: str = ""
    actions: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    raw: dict[str, Any] = field(default_factory=dict)

    @property
    def is_valid(self) -> bool:
        """Whether the file is as its signer left it."""
        return self.state in ("trusted", "valid")


class ContentSigner:
    """Signs many pictures or videos with one key; may be used by several threads.

    `ContentSigner.open()` makes one with the installation's key.

    Args:
        identity: Key and certificates.
        software: Program named in the manifest.
        software_version: Its version.

    Raises:
        ProvenanceError: The key is not usable.
    """

    def __init__(self, identity: SigningIdentity, *, software: str, software_version: str):
        self._agent = {"name": software, "version": software_version}
        try:
            self._context = c2pa.Context.from_dict(SETTINGS)
            self._signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo(
                c2pa.C2paSigningAlg.ES256, identity.chain.encode(), identity.key.encode(), None))
        except c2pa.C2paError as error:
            raise ProvenanceError(f"the signing key cannot be used ({error})") from error

    @classmethod
    def open(cls, software: str = version.NAME) -> "ContentSigner":
        """A signer with the key of this installation, which is made at first use.

        Raises:
            ProvenanceError: The key cannot be made, read or used.
        """
        return cls(load_identity(), software=software, software_version=version.version())

    def sign_bytes(
        self,
        data: bytes,
        mime: str,
        *,
        title: str = "",
        source_type: str = COMPOSITE,
        actions: Sequence[Mapping[str, Any]] | None = None,
    ) -> bytes:
        """Signs a file in memory. PNG and JPEG also get the source type as XMP.

        Args:
            data: The unsigned file.
            mime: Its type, one of `MIME_TYPES`' values.
            title: Title told in the manifest.
            source_type: IPTC URI of how the content came to be.
            actions: C2PA actions; None says it was created with `source_type`.

        Returns:
            The signed file, about 3 kB larger.

        Raises:
            ProvenanceError: The type cannot be signed, or the data are not of that type.
        """
        if mime in WITH_XMP:
            data = with_source_type(data, source_type, self._agent["name"])
        target = io.BytesIO()
        self._sign(self._manifest(mime, title, source_type, actions, False), title or "picture",
                   mime, io.BytesIO(data), target)
        return target.getvalue()

    def sign_file(
        self,
        path: str | Path,
        *,
        title: str | None = None,
        source_type: str = COMPOSITE,
        actions: Sequence[Mapping[str, Any]] | None = None,
        parent: str | Path | None = None,
    ) -> None:
        """Signs a file in place: it stays as it was until the signed one is complete.

        Args:
            path: PNG, JPEG, MP4 and the others of `MIME_TYPES`.
            title: Title told in the manifest; None takes the file name.
            source_type: IPTC URI of how the content came to be.
            actions: C2PA actions; None says created, or with a `parent` opened and edited.
            parent: File this one was made from; its own manifest, if any, is kept inside.

        Raises:
            ProvenanceError: The type cannot be signed, or a file cannot be read or written.
        """
        path = Path(path)
        mime = mime_type(path)
        title = path.name if title is None else title
        try:
            if mime in WITH_XMP and parent is None:
                signed = self.sign_bytes(path.read_bytes(), mime, title=title,
                                         source_type=source_type, actions=actions)
                atomic_write(path, signed)
                return
            manifest = self._manifest(mime, title, source_type, actions, parent is not None)
            with atomic_path(path) as temporary:
                with open(path, "rb") as source, open(temporary, "w+b") as target:
                    self._sign(manifest, str(path), mime, source, target, parent)
        except OSError as error:
            raise ProvenanceError(f"{path}: cannot be signed ({error.strerror or error}); check "
                                  "the file and the free space") from error

    def _manifest(self, mime, title, source_type, actions, has_parent) -> dict[str, Any]:
        if actions is None:
            actions = self._default_actions(source_type, has_parent)
        return {
            "claim_generator_info": [self._agent],
            "title": title,
            "format": mime,
            "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": list(actions)}}],
        }

    def _default_actions(self, source_type: str, has_parent: bool) -> list[dict[str, Any]]:
        change = {"digitalSourceType": source_type, "softwareAgent": self._agent,
                  "description": "Faces were swapped by a trained model."}
        if not has_parent:
            return [{"action": "c2pa.created", **change}]
        opened = {"action": "c2pa.opened", "parameters": {"ingredientIds": ["parent"]}}
        return [opened, {"action": "c2pa.edited", **change}]

    def _sign(self, manifest, name, mime, source, target, parent=None) -> None:
        try:
            with c2pa.Builder(json.dumps(manifest), context=self._context) as builder:
                if parent is not None:
                    ingredient = {"title": Path(parent).name, "relationship": "parentOf",
                                  "label": "parent"}
                    with open(parent, "rb") as stream:
                        builder.add_ingredient(json.dumps(ingredient), mime_type(parent), stream)
                builder.sign(self._signer, mime, source, target)
        except c2pa.C2paError as error:
            raise ProvenanceError(f"{name}: cannot be signed ({error}); check that the file is "
                                  f"whole and really {mime}") from error


def sign_file(path: str | Path, *, software: str = version.NAME, **options: Any) -> None:
    """Signs one file in place; see `ContentSigner.sign_file` for the options."""
    ContentSigner.open(software).sign_file(path, **options)


def mime_type(path: str | Path) -> str:
    """Type of a file by its suffix.

    Raises:
        ProvenanceError: This kind of file cannot carry a manifest.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in MIME_TYPES:
        raise ProvenanceError(f"{path}: '{suffix}' files cannot carry a provenance manifest; use "
                              ".mp4 or .mov for videos and .png or .jpg for pictures")
    return MIME_TYPES[suffix]


def read_manifest(path: str | Path, *, trust_anchors: str | None = None) -> Manifest:
    """Reads and checks what a file says about itself; nothing is fetched from the network.

    Args:
        path: The file.
        trust_anchors: PEM of root certificates to trust; None takes the installation's own.

    Raises:
        ProvenanceError: The file cannot be read, or its kind cannot carry a manifest.
    """
    path = Path(path)
    mime = mime_type(path)
    anchors = existing_root() if trust_anchors is None else trust_anchors
    settings = {**SETTINGS, "trust": {"user_anchors": anchors}} if anchors else SETTINGS
    try:
        with open(path, "rb") as stream:
            return _parsed(_read_store(mime, stream, settings))
    except OSError as error:
        raise ProvenanceError(f"{path}: cannot be read ({error.strerror or error}); check the "
                              "path") from error
    except c2pa.C2paError.ManifestNotFound:
        return Manifest("missing", problems=("the file carries no provenance manifest",))
    except c2pa.C2paError as error:
        return Manifest("invalid", problems=(str(error),))


def _read_store(mime: str, stream: io.BufferedReader, settings: dict) -> dict[str, Any]:
    with c2pa.Reader(mime, stream, context=c2pa.Context.from_dict(settings)) as reader:
        return json.loads(reader.json())


def _parsed(store: dict[str, Any]) -> Manifest:
    manifest = store["manifests"][store["active_manifest"]]
    actions = [action for assertion in manifest.get("assertions", ())
               if assertion["label"].startswith("c2pa.actions")
               for action in assertion["data"]["actions"]]
    telling = next((action for action in actions if "digitalSourceType" in action), {})
    agent = telling.get("softwareAgent") or next(iter(manifest.get("claim_generator_info", ())), {})
    signature = manifest.get("signature_info", {})
    return Manifest(
        state=str(store.get("validation_state", "Invalid")).lower(),
        digital_source_type=telling.get("digitalSourceType", ""),
        software=_agent_text(agent),
        title=manifest.get("title") or "",
        signer=signature.get("common_name") or signature.get("issuer") or "",
        actions=tuple(action["action"] for action in actions),
        problems=tuple(status.get("explanation") or status["code"]
                       for status in store.get("validation_status", ())),
        raw=store,
    )


def _agent_text(agent: Mapping[str, Any] | str) -> str:
    if isinstance(agent, str):
        return agent
    return f"{agent.get('name', '')} {agent.get('version', '')}".strip()
