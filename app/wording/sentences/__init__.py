"""Every sentence that is named by a message id, in English: the ids' one table, split by subject.

A sentence quotes its figures as `{name}`. Its translation is looked up by the English text, in `app/wording/zh/*.po`.
"""

from app.wording.sentences import (
    codec,
    commands,
    compare,
    designer,
    exact_numbers,
    files,
    format_pages,
    formats,
    gguf,
    jobs,
    layouts,
    number_line,
    numbers,
    numpy_files,
    onnx,
    pytorch,
    quantization,
    quantize_page,
    requests,
    sources,
    stories,
    zip_archives,
)

SENTENCES: dict[str, str] = {
    **numbers.SENTENCES,
    **stories.SENTENCES,
    **exact_numbers.SENTENCES,
    **formats.SENTENCES,
    **format_pages.SENTENCES,
    **files.SENTENCES,
    **gguf.SENTENCES,
    **jobs.SENTENCES,
    **layouts.SENTENCES,
    **requests.SENTENCES,
    **codec.SENTENCES,
    **commands.SENTENCES,
    **number_line.SENTENCES,
    **designer.SENTENCES,
    **compare.SENTENCES,
    **quantization.SENTENCES,
    **quantize_page.SENTENCES,
    **sources.SENTENCES,
    **onnx.SENTENCES,
    **pytorch.SENTENCES,
    **numpy_files.SENTENCES,
    **zip_archives.SENTENCES,
}
