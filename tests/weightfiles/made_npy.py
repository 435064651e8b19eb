"""Files of NumPy made byte by byte."""

import struct

Version = tuple[int, int]


def header_text(text: str | bytes, data: bytes = b"", version: Version = (1, 0), length: int | None = None) -> bytes:
    """An .npy file with that text as its header, and if told another length than the true one."""
    header = text.encode() if isinstance(text, str) else text
    size = struct.pack("<H" if version == (1, 0) else "<L", len(header) if length is None else length)
    return b"\x93NUMPY" + bytes(version) + size + header + data


def npy(dtype: str, shape: tuple[int, ...], data: bytes, *, fortran: bool = False, version: Version = (1, 0)) -> bytes:
    """An .npy file as NumPy writes it, without the padding."""
    text = f"{{'descr': '{dtype}', 'fortran_order': {fortran}, 'shape': {shape!r}, }}\n"
    return header_text(text, data, version)
