"""Requests: addresses, owners, form fields, settings."""

SENTENCES = {
    "settings.invalid": "{variable} is set to “{value}”, which cannot be used. Correct it or unset it.",
}
