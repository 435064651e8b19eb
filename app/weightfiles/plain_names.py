"""Names of files that stand in other files: only ever looked up among what lies beside, never made part of a path."""

MAX_FILE_NAME_BYTES = 255


def is_plain_name(name: str) -> bool:
    """Whether a name can be that of a file in the same folder: no separator, no drive, no control, not `..`."""
    if name in {"", ".", ".."} or any(character in '/\\:"<>|?*' or character < " " for character in name):
        return False
    try:
        return len(name.encode("utf-8")) <= MAX_FILE_NAME_BYTES
    except UnicodeEncodeError:
        return False
