"""Signatures over manifest.json: Ed25519 (RFC 8032), keys as PEM (PKCS #8 private, SubjectPublicKeyInfo public: RFC 8410).

`manifest.json.sig` is one line: the signature of the manifest's bytes in Base64, so that OpenSSL can check it too. The manifest
holds the sha256 of every other file. Key material stands in no message of this module, and no path that may be one: somebody
who mixes up an option and a secret must not find the secret in the log of the build.
"""

from __future__ import annotations

import base64
import binascii
import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from insigma.content.pack import find_root
from insigma.release.plain_files import open_plain

MANIFEST = "manifest.json"
SIGNATURE = "manifest.json.sig"
ENVIRONMENT = "INSIGMA_SIGNING_KEY"
"""Holds the private key as PEM, or the path of its file."""

PRIVATE_SUFFIX, PUBLIC_SUFFIX = ".key", ".pub"
_BEGIN = "-----BEGIN "
_MAX_KEY = 10_000


class KeyFault(Exception):
    """A key that cannot be used, or must not: why, and what to do. Never holds key material."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def sign(manifest: bytes, key: Ed25519PrivateKey) -> str:
    """The text of manifest.json.sig. The same manifest and key always give the same."""
    return base64.b64encode(key.sign(manifest)).decode("ascii") + "\n"


def is_signed(manifest: bytes, signature: bytes, key: Ed25519PublicKey) -> bool:
    """Whether the bytes of manifest.json.sig are a signature of the manifest by the key's owner."""
    try:
        key.verify(base64.b64decode(signature.strip(), validate=True), manifest)
    except (binascii.Error, InvalidSignature):
        return False
    return True


def private_key(file: Path | None, environment: str) -> Ed25519PrivateKey | None:
    """The key to sign with: that of the file, else the one that the environment variable holds or names; None where neither is given.

    Raises `KeyFault`, also for a file that others may read, and for one inside a pack, which is one commit away from being public.
    """
    if file is not None:
        return _parsed_private(_private_file(file, "the key file"), "the key file")
    if not environment.strip():
        return None
    if environment.lstrip().startswith(_BEGIN):
        return _parsed_private(environment.encode("utf-8", "replace"), ENVIRONMENT)
    where = f"the file that {ENVIRONMENT} names"
    return _parsed_private(_private_file(Path(environment.strip()), where), where)


def _private_file(path: Path, name: str) -> bytes:
    """The bytes of a private key's file. The path is not told: it may be a key that was given in a wrong place."""
    try:
        stream = open_plain(path, follow=True)
    except (OSError, ValueError) as error:
        raise KeyFault(f"{name} cannot be opened: {getattr(error, 'strerror', None) or 'not a path'}") from None
    with stream:
        if os.name == "posix" and os.fstat(stream.fileno()).st_mode & 0o077:
            raise KeyFault(f"{name} can be read by others on this machine", "chmod 600, and take a new key if anybody may have")
        _outside_packs(path, name)
        return stream.read(_MAX_KEY)


def _outside_packs(path: Path, name: str) -> None:
    if find_root(Path(os.path.realpath(path))) is not None:
        raise KeyFault(f"{name} lies in a pack's folder", "keep private keys where no commit and no build can take them along")


def _parsed_private(pem: bytes, name: str) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(pem, None)
    except TypeError:
        raise KeyFault(f"{name} is encrypted with a passphrase", "take the passphrase off where the build gets it") from None
    except (ValueError, UnsupportedAlgorithm):
        raise KeyFault(f"{name} holds no private key in PEM form (PKCS #8)", _how_to_make()) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFault(f"{name} holds a private key of another kind than Ed25519", _how_to_make())
    return key


def _how_to_make() -> str:
    return "make one with 'insigma release --new-key PREFIX'"


def public_key(file: Path) -> Ed25519PublicKey:
    """The key to verify with. Raises `KeyFault`."""
    try:
        with open_plain(file, follow=True) as stream:
            pem = stream.read(_MAX_KEY)
    except (OSError, ValueError) as error:
        raise KeyFault(f"the public key cannot be read: {getattr(error, 'strerror', None) or 'not a path'}") from None
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        hint = "this is a private key: guard it, and give its .pub" if b"PRIVATE KEY" in pem else "a file that begins with BEGIN PUBLIC KEY"
        raise KeyFault("the file holds no public key in PEM form", hint) from None
    if not isinstance(key, Ed25519PublicKey):
        raise KeyFault("the file holds a public key of another kind than Ed25519")
    return key


def new_key(prefix: Path) -> tuple[Path, Path]:
    """Write a fresh pair as PREFIX.key, which only its owner may read, and PREFIX.pub; their paths.

    Raises `KeyFault` inside a pack and where a file is in the way, `OSError` where nothing can be written.
    """
    secret, public = (prefix.with_name(prefix.name + suffix) for suffix in (PRIVATE_SUFFIX, PUBLIC_SUFFIX))
    _outside_packs(secret, "the new key")
    for path in (secret, public):
        if path.exists() or path.is_symlink():
            raise KeyFault(f"{path} exists already", "a key that is in use is never overwritten: choose another name")
    key = Ed25519PrivateKey.generate()
    _create(public, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), 0o644)
    try:
        _create(secret, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), 0o600)
    except OSError:
        public.unlink()
        raise
    return secret, public


def _create(path: Path, content: bytes, mode: int) -> None:
    """A new file with these permissions from its first moment on."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
