"""Requests: addresses, owners, form fields, settings."""

SENTENCES = {
    "settings.too-small": "{variable} is set to {value}; the least that works is {least:,}. Raise it or unset it.",
    "settings.invalid": "{variable} is set to “{value}”, which cannot be used. Correct it or unset it.",
    "settings.no-home": "This user has no home folder to keep data in. Set BITLENS_DATA_DIR to a folder that it may "
    "write.",
    "request.no-such-address": "There is nothing at this address. Check it, or start from the start page.",
    "request.method": "This address does not accept requests of this kind.",
    "request.invalid": "The request cannot be read. Check its parameters and try again.",
    "request.fault": "Bitlens made a mistake and has logged it. Nothing of yours was changed; try again.",
    "request.cross-site": "This request came from another site and was refused. Open the page here and try again.",
    "request.body-too-large": "The request carries more than {limit} bytes, the most that this address accepts.",
    "request.address-too-long": "The address is longer than {limit} bytes. Shorten the number or use fewer parameters.",
    "request.too-many-parameters": "The address names {limit} parameters or more. Use fewer.",
    "request.unknown-parameter": "This address has no parameter “{name}”. It takes: {known}.",
    "request.repeated-parameter": "The parameter “{name}” is given more than once. Give it once.",
    "request.missing-parameter": "The parameter “{name}” is missing. Add it.",
    "inspect.value-or-bits": "Give either “value”, a number as text, or “bits”, a code; exactly one of the two.",
    "json.malformed": "The body is not valid JSON. Check its syntax, and that it is encoded in UTF-8.",
    "json.not-object": 'The body must be a JSON object, such as {{"file": "..."}}.',
    "json.duplicate-name": "A name appears twice in the same JSON object. Keep one of them.",
    "json.constant": "JSON has no number {name}. Send it as a string instead.",
    "owner.unknown": "The secret in the Authorization header is unknown. Get a new one with POST /api/v1/owners.",
    "stream.too-many": "You already have {limit} progress streams open. Close one, or try again in a moment.",
    "upload.not-multipart": "A file must be sent as a form (multipart/form-data), in the field “file”.",
    "upload.malformed": "The upload is not a well-formed form (multipart/form-data). Send it with another program.",
    "upload.incomplete": "The upload ended before the file was complete. Send it again.",
    "upload.two-files": "The upload carries more than one file. Send one at a time.",
    "upload.no-file": "No file was chosen. Choose a weight file, or a zip of a model’s folder, and upload it.",
    "upload.too-large": (
        "The file is larger than {limit:,} bytes, the most that is accepted here. Use the command line for larger "
        "files."
    ),
    "upload.owner-full": "Your files and results would take more than {limit:,} bytes together. Delete some that "
    "you no longer need.",
    "upload.too-many-files": "You already have {limit} files. Delete one that you no longer need.",
    "file.check-failed": "The file’s header could not be checked in time. It is probably damaged; export it again.",
    "job.queue-full": "{limit} jobs are already waiting. Try again when one has ended.",
    "job.file-not-ready": "The file has not been read completely, or cannot be. Wait until its tensors are shown.",
    "job.no-report": "The job has no result: it is not done, or it was cancelled or failed.",
    "job.result-gone": "The result has been removed. Run the job again to get it back.",
}
