"""Background work, storage and limits."""

SENTENCES: dict[str, str] = {
    "database.address-unusable": (
        "BITLENS_DATABASE_URL is not the address of a database that can be used here. Write"
        " postgresql://USER:PASSWORD@HOST:PORT/NAME (special characters of the password as %40 and the like) or"
        " sqlite:////PATH, or unset it to keep everything in the data folder."
    ),
    "database.file-unusable": (
        "The database file {path} cannot be used: {reason}. Put it right, or choose another BITLENS_DATA_DIR or"
        " BITLENS_DATABASE_URL."
    ),
    "database.server-unusable": (
        "The database “{database}” at {host} cannot be used: {reason}. See that the server runs and lets Bitlens in, or"
        " correct BITLENS_DATABASE_URL."
    ),
    "job.crashed": (
        "The job’s process died {deaths} times in the same step ({signal}), so the job was stopped. Try another "
        "scheme, or a smaller file."
    ),
    "job.failed": "The job ended with an error that this version does not know. Run it again.",
    "job.internal": (
        "Something went wrong inside Bitlens; it is our mistake, not yours. It is noted in the server’s log as "
        "{incident}."
    ),
    "job.out-of-memory": (
        "The job needs more memory than there is; its limit is {limit} MiB."
        " Raise BITLENS_CHILD_MEMORY_BYTES, or use a smaller file."
    ),
    "job.worker-crashed": "The worker kept dying while it did this job, so the job was stopped. See the server’s log.",
    "record.unknown": "There is nothing at this address. It may have been removed, or it belongs to somebody else.",
    "records.newer": (
        "The database was written by a newer version of Bitlens (its tables are version {found}, this one knows "
        "{known}). Update Bitlens, or choose another BITLENS_DATA_DIR."
    ),
    "storage.failed": (
        "The data could not be written to the disk ({reason}). Nothing was kept. Try again, or check the disk."
    ),
    "storage.folder-unusable": (
        "The folder {path} cannot be used: {reason}. Let this user write there, or choose another BITLENS_DATA_DIR."
    ),
    "storage.full": (
        "There is no room left on the disk. Remove files or results that are no longer needed, and try again."
    ),
    "storage.missing": "The file no longer exists. Upload it again.",
}
