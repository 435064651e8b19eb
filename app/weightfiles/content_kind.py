"""What a file is by its content, whatever it is called: the kinds that people upload by mistake are named."""

from app.errors import WeightFileError

SNIFFED_BYTES = 4096

# Magic bytes at the start -> the name of the kind, the same in every language.
_OTHER_KINDS = (
    (b"\x7fELF", "ELF"),
    (b"MZ", "EXE"),
    (b"%PDF", "PDF"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG", "PNG"),
    (b"GIF8", "GIF"),
    (b"\x1f\x8b", "gzip"),
    (b"\xfd7zXZ", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"BZh", "bzip2"),
    (b"7z\xbc\xaf", "7z"),
    (b"Rar!", "RAR"),
    (b"\x89HDF", "HDF5"),
)
_TAR_AT = 257


def looks_like_safetensors(start: bytes) -> bool:
    """Whether the ninth byte opens a header: a length followed by `{`."""
    return len(start) > 8 and start[8:9] == b"{"


def refuse_other_kinds(start: bytes) -> None:
    """Refuses what is known not to be a safetensors file; `start` is its first bytes.

    Raises:
        WeightFileError: `file.*`, each with what to do instead.
    """
    if not start:
        raise WeightFileError("file.empty")
    if start.startswith(b"version https://git-lfs"):
        raise WeightFileError("file.git-lfs-pointer")
    if looks_like_safetensors(start):
        return
    _refuse_text(start)
    if start[_TAR_AT:].startswith(b"ustar"):
        raise WeightFileError("file.other-kind", kind="tar")
    for magic, kind in _OTHER_KINDS:
        if start.startswith(magic):
            raise WeightFileError("file.other-kind", kind=kind)


def _refuse_text(start: bytes) -> None:
    text = start.lstrip(b" \t\r\n\xef\xbb\xbf").lower()
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<!--")):
        raise WeightFileError("file.html")
    if text.startswith(b"{"):
        raise WeightFileError("file.json")
