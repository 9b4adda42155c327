"""Signatures and keys: what signs, what is refused, and that no message holds a key."""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
import traceback
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat, PublicFormat

from insigma.release.signing import KeyFault, is_signed, new_key, private_key, public_key, sign

MANIFEST = b'{"files": {}}\n'
PKCS8 = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    return new_key(tmp_path / "release")


def put(path: Path, content: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


def refusal(file: Path | None, environment: str = "") -> KeyFault:
    with pytest.raises(KeyFault) as raised:
        private_key(file, environment)
    return raised.value


def test_what_is_signed_is_verified_and_nothing_else(pair: tuple[Path, Path], tmp_path: Path) -> None:
    key = private_key(pair[0], "")
    assert key is not None
    signature = sign(MANIFEST, key)
    public = public_key(pair[1])
    assert signature == sign(MANIFEST, key)
    assert re.fullmatch(r"[A-Za-z0-9+/]{86}==\n", signature)
    assert is_signed(MANIFEST, signature.encode(), public)
    assert not is_signed(MANIFEST + b" ", signature.encode(), public)
    assert not is_signed(MANIFEST, signature.encode(), public_key(new_key(tmp_path / "other")[1]))


@pytest.mark.parametrize(
    "wrong", [b"", b"\n", b"AAAA", b"A" * 88, b"not base64!", b"\xff\xfe", base64.b64encode(b"x" * 64), b"A" * 100_000]
)
def test_what_is_no_signature_signs_nothing(wrong: bytes, pair: tuple[Path, Path]) -> None:
    assert not is_signed(MANIFEST, wrong, public_key(pair[1]))


def test_openssl_verifies_it_too(pair: tuple[Path, Path], tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("there is no openssl here")
    key = private_key(pair[0], "")
    assert key is not None
    manifest, raw = put(tmp_path / "manifest.json", MANIFEST), put(tmp_path / "sig", base64.b64decode(sign(MANIFEST, key)))
    command = [openssl, "pkeyutl", "-verify", "-pubin", "-inkey", str(pair[1]), "-rawin", "-in", str(manifest), "-sigfile", str(raw)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.returncode, "Verified Successfully" in ran.stdout) == (0, True), ran.stderr


def test_the_key_comes_from_the_file_else_from_the_environment(pair: tuple[Path, Path], tmp_path: Path) -> None:
    def public(key: Ed25519PrivateKey | None) -> bytes:
        assert key is not None
        return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    other = new_key(tmp_path / "other")[0]
    mine = public(private_key(pair[0], ""))
    assert public(private_key(None, str(pair[0]))) == mine
    assert public(private_key(None, pair[0].read_text())) == mine
    assert public(private_key(None, f"\n{pair[0].read_text()}\n")) == mine
    assert public(private_key(pair[0], other.read_text())) == mine
    assert public(private_key(None, other.read_text())) != mine
    assert private_key(None, "") is None
    assert private_key(None, " \n") is None


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o610, 0o601, 0o777])
def test_a_key_that_others_may_read_is_refused(mode: int, pair: tuple[Path, Path]) -> None:
    pair[0].chmod(mode)
    assert "can be read by others" in refusal(pair[0]).message
    assert "can be read by others" in refusal(None, str(pair[0])).message
    pair[0].chmod(0o400)
    assert private_key(pair[0], "") is not None


def test_a_key_inside_a_pack_is_refused_also_through_a_link(tmp_path: Path) -> None:
    outside = new_key(tmp_path / "release")[0]
    (tmp_path / "pack" / "keys").mkdir(parents=True)
    (tmp_path / "pack" / "insigma.yml").write_text("name: p\nversion: 0.1.0\n")
    inside = put(tmp_path / "pack" / "keys" / "a.key", outside.read_bytes())
    (tmp_path / "link").symlink_to(tmp_path / "pack" / "keys")
    for path in (inside, tmp_path / "link" / "a.key"):
        assert "in a pack's folder" in refusal(path).message
        assert "in a pack's folder" in refusal(None, str(path)).message
    for prefix in (tmp_path / "pack" / "new", tmp_path / "link" / "new"):
        with pytest.raises(KeyFault, match="in a pack's folder"):
            new_key(prefix)
    assert [path.name for path in (tmp_path / "pack" / "keys").iterdir()] == ["a.key"]


def test_a_new_key_is_its_owners_alone_and_overwrites_nothing(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        secret, public = new_key(tmp_path / "my.release")
    finally:
        os.umask(before)
    assert (secret.name, public.name) == ("my.release.key", "my.release.pub")
    assert (secret.stat().st_mode & 0o777, public.stat().st_mode & 0o777) == (0o600, 0o644)
    assert secret.read_text().startswith("-----BEGIN PRIVATE KEY-----\n")
    assert public.read_text().startswith("-----BEGIN PUBLIC KEY-----\n")
    content = secret.read_bytes()
    for gone in (secret, public):
        kept = gone.read_bytes()
        other = public if gone is secret else secret
        moved = other.rename(tmp_path / "aside")
        with pytest.raises(KeyFault, match="exists already"):
            new_key(tmp_path / "my.release")
        assert gone.read_bytes() == kept
        moved.rename(other)
    assert secret.read_bytes() == content
    with pytest.raises(OSError, match="No such file"):
        new_key(tmp_path / "absent" / "release")


def key_files(folder: Path) -> dict[str, tuple[Path, str]]:
    """Files that hold a secret, or something like one, and cannot be used: with what is said of them."""
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(*PKCS8)
    curve = ec.generate_private_key(ec.SECP256R1()).private_bytes(*PKCS8)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    raw = key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    return {
        "another kind": (put(folder / "1", curve), "another kind"),
        "encrypted": (put(folder / "2", locked), "passphrase"),
        "raw": (put(folder / "3", raw), "no private key in PEM form"),
        "cut short": (put(folder / "4", pem[:-40]), "no private key in PEM form"),
        "damaged": (put(folder / "5", pem.replace(b"MC4CAQAw", b"MC4CAQAx")), "no private key in PEM form"),
        "public": (
            put(folder / "6", key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)),
            "no private key in PEM form",
        ),
        "lines run together": (put(folder / "7", pem.replace(b"\n", b"\\n")), "no private key in PEM form"),
        "huge": (put(folder / "8", b"-----BEGIN PRIVATE KEY-----\n" + b"A" * 20_000), "no private key in PEM form"),
        "empty": (put(folder / "9", b""), "no private key in PEM form"),
    }


def chunks(secret: bytes) -> list[str]:
    """Pieces of a secret that no message may hold."""
    text = secret.decode("latin-1")
    return [text[start : start + 12] for start in range(0, max(len(text) - 12, 0), 6) if "KEY" not in text[start : start + 12]]


def told(fault: KeyFault) -> str:
    """All that a log could show of a fault, its traceback with it."""
    return "".join(traceback.format_exception(fault)) + fault.message + fault.hint + repr(fault)


def test_no_message_holds_key_material(tmp_path: Path) -> None:
    for name, (path, why) in key_files(tmp_path).items():
        secret = path.read_bytes()
        found = [refusal(path), refusal(None, str(path))]
        text = secret.decode("latin-1")
        if name not in ("raw", "empty"):
            found.append(refusal(None, text))
        for fault in found[:2]:
            assert why in fault.message, name
        for fault in found:
            everything = told(fault)
            assert not [piece for piece in chunks(secret) if piece in everything], name


def test_a_secret_given_in_place_of_a_path_is_not_told(tmp_path: Path) -> None:
    pem = Ed25519PrivateKey.generate().private_bytes(*PKCS8).decode()
    body = pem.splitlines()[1]
    for secret in (body, body[:30], f"{body}\n", pem.replace("\n", "\\n"), pem.removeprefix("-----BEGIN "), f"\0{body}", body * 100):
        for fault in (refusal(Path(secret)), refusal(None, secret)):
            assert body[:20] not in told(fault)
    with pytest.raises(KeyFault) as raised:
        public_key(Path(body))
    assert body[:20] not in told(raised.value)


def test_what_is_no_plain_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    assert "no plain file" in refusal(tmp_path / "pipe").message
    assert "no plain file" in refusal(tmp_path).message
    assert "cannot be opened" in refusal(tmp_path / "absent").message


def test_public_keys_that_are_none(tmp_path: Path) -> None:
    secret, public = new_key(tmp_path / "a")
    curve = ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for path, why in (
        (put(tmp_path / "1", curve), "another kind"),
        (put(tmp_path / "2", b"x"), "no public key"),
        (secret, "no public key"),
        (tmp_path / "absent", "cannot be read"),
        (tmp_path, "cannot be read"),
    ):
        with pytest.raises(KeyFault, match=why):
            public_key(path)
    with pytest.raises(KeyFault) as raised:
        public_key(secret)
    assert "guard it" in raised.value.hint
    assert not [piece for piece in chunks(secret.read_bytes()) if piece in told(raised.value)]
    assert public_key(public) is not None
