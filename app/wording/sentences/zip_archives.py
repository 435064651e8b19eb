"""Zip archives, of which several kinds of weight files are made."""

SENTENCES: dict[str, str] = {
    "zip.crc": (
        "“{member}” in the zip archive does not match its checksum: the file is damaged, or was written without "
        "checksums. Download it, or save it, again."
    ),
    "zip.directory": (
        "The directory at the end of the zip archive contradicts itself, so programs would disagree about what the "
        "file holds. Make the archive again."
    ),
    "zip.directory-too-long": "The directory of the zip archive takes {bytes} bytes; at most {limit} are accepted.",
    "zip.empty": "The zip archive is empty.",
    "zip.encrypted": "“{member}” in the zip archive is encrypted. Make the archive without a password.",
    "zip.end": (
        "The zip archive does not end as one: it is incomplete, or something follows it. Download the file again."
    ),
    "zip.hole": (
        "There are {bytes} bytes behind “{member}” in the zip archive that belong to no member. Make the archive again."
    ),
    "zip.inflate": "“{member}” in the zip archive cannot be unpacked to what the directory says. The file is damaged.",
    "zip.link": "“{member}” in the zip archive is no plain file but a link or a device. Put the file itself into it.",
    "zip.local-header": (
        "“{member}” in the zip archive is described in two ways that differ, so programs would disagree about it. "
        "Make the archive again."
    ),
    "zip.member-too-long": (
        "“{member}” in the zip archive has {bytes} bytes; at most {limit} are accepted for what it is."
    ),
    "zip.method": (
        "“{member}” in the zip archive is packed in a way that is not read (method {method}, flags {flags}). Store it, "
        "or use the usual deflate."
    ),
    "zip.name-control": "The name “{member}” in the zip archive holds a control character. Rename it.",
    "zip.name-encoding": (
        "The name “{member}” in the zip archive is not UTF-8. Make the archive again with UTF-8 names."
    ),
    "zip.overlap": "“{member}” in the zip archive shares bytes with another member. The archive is damaged or forged.",
    "zip.path": (
        "The name “{member}” in the zip archive is no plain path inside the archive. Make it again from the files’ own "
        "folder."
    ),
    "zip.ratio": (
        "The zip archive would unpack to {bytes} bytes, far more than weights of its size can be ({limit}). Use "
        "uncompressed files."
    ),
    "zip.start": "The zip archive does not begin with its first member: something stands before it. Make it again.",
    "zip.too-many": "The zip archive has {members} members; at most {limit} are accepted.",
    "zip.twice": "The zip archive holds “{member}” twice. Readers would disagree about which one counts.",
}
