"""Background work, storage and limits."""

SENTENCES: dict[str, str] = {
    "job.crashed": (
        "The job's process died {deaths} times in the same step ({signal}), so it was given up."
        " Try another scheme, or a smaller file."
    ),
    "job.failed": "The job ended with an error that this version cannot name. Run it again.",
    "job.internal": (
        "Something went wrong inside Bitlens; it is our mistake, not yours."
        " It is noted in the server's log as {incident}."
    ),
    "job.out-of-memory": (
        "The job needs more memory than there is; its limit is {limit} MiB."
        " Raise BITLENS_CHILD_MEMORY_BYTES, or use a smaller file."
    ),
    "job.worker-crashed": (
        "The worker died again and again while it did this job, so it was given up. Look into the server's log."
    ),
    "record.unknown": (
        "There is nothing here under that address. It may have been removed, or it belongs to somebody else."
    ),
    "records.newer": (
        "The database was written by a newer version of Bitlens (its tables are of version {found}, this one knows"
        " {known}). Update Bitlens, or choose another BITLENS_DATA_DIR."
    ),
    "storage.failed": "The disk did not take the data ({reason}). Nothing was kept; try again, or check the disk.",
    "storage.full": (
        "There is no room left on the disk. Remove files or results that are no longer needed and try again."
    ),
    "storage.missing": "The file is not there any more. Upload it again.",
}
