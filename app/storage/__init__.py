"""Byte ranges and durable writes: what was committed survives a crash, and nothing half-written is ever seen."""

from app.storage.contract import Storage, StoredBytes, Writer
from app.storage.keys import PART_SUFFIX, owner_key, record_of
from app.storage.local import LocalStorage
from app.storage.private import private_file, private_folder
from app.storage.writer import DurableWriter

__all__ = [
    "PART_SUFFIX",
    "DurableWriter",
    "LocalStorage",
    "Storage",
    "StoredBytes",
    "Writer",
    "owner_key",
    "private_file",
    "private_folder",
    "record_of",
]
