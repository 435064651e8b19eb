"""Weight files: bytes on disk to tensors and back; knows no scheme.

The modules `content_kind`, `strict_json`, `storage_types`, `safetensors_header`, `safetensors_layout` and `checking`
use the standard library only; the range readers build tensors.
"""
